#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into corpus/: small inputs with something special in each."""
import io
import pathlib
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "tests/fixtures"


def seed(target, name, data, choice=None):
    """The first byte of a file chooses the config."""
    data = data.encode() if isinstance(data, str) else data
    path = HERE / "corpus" / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((b"" if choice is None else bytes([choice])) + data)


HEADER = "ID,User,Status,Phone,Hired\n"
seed("csv", "plain", HEADER + "1,a,Active,+49 30 1,2024-03-01\n2,b,Inactive,,\n", 0)
seed("csv", "quoted", HEADER + '1,"a ""x""\r\ny",Active,1,\n2,b,"open', 0)
seed("csv", "mark-sep", "\ufeffsep=;\r\n" + HEADER.replace(",", ";") + "1;a;Active;;\r\n", 0)
seed("csv", "utf-16", (HEADER + "1,Mü🙂,Active,,\n").replace(",", "\t").encode("utf-16"), 0)
seed("csv", "utf-16-odd", (HEADER + "1,a,Active,,\n").encode("utf-16")[:-1], 0)
seed("csv", "windows-1252", (HEADER + "1,Müller,Active,,\n2,O’Brien,Active,,\n").encode("cp1252"), 0)
seed("csv", "windows-1250", (HEADER + "1,Łukasz,Active,,\n").encode("cp1250"), 8)
seed("csv", "lone-byte", HEADER.encode() + "1,Müller,Active,,\n".encode() + b"2,Ren\xe9,Active,,\n", 0)
seed("csv", "trailer", HEADER + "1,a,Active,,\nTRL,0001,,,\n", 32)
seed("csv", "header-again", HEADER + "1,a,Active,,\n\ufeff" + HEADER + "2,b,Active,,\nUser,ID,Status,Hired,Phone\n", 0)
seed("csv", "title", "Staff list\n" + HEADER.replace(",", ";") + "1;'a;b';Active;;\n", 16 | 1 | 6)

PERSON = '{"ID": "1", "Name": {"First": "Ann"}, "Status": "Active", "Job": {"Title": "Clerk"}}'
seed("json", "array", f"[{PERSON}, {PERSON}]", 0)
seed("json", "lines", f"{PERSON}\n{PERSON}\n", 0)
seed("json", "inside", f'{{"data": {{"workers": [{PERSON}]}}, "count": 1}}', 2)
seed("json", "numbers", '[{"ID": 9007199254740993, "Status": 1e400, "Job": {"Title": -0.0}}]', 0)
seed("json", "escapes", r'[{"ID": "\ud83d\ude42 \u0000 \ud83d", "Status": null, "Status": true}]', 0)
seed("json", "deep", "[" * 70 + "]" * 70, 0)
seed("json", "cut", f"[{PERSON}, {PERSON[:20]}", 0)

for name in ["people.xls", "people-1904.xls", "people.xlsb", "people.ods", "people.xlsx", "encrypted.xlsx"]:
    seed("workbook", name, (FIXTURES / "hr" / name).read_bytes(), 0)


def book(sheet, strings="", styles="", properties=""):
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    relation = lambda n, kind, target: f'<Relationship Id="r{n}" Type="{office}/{kind}" Target="{target}"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">{relation(1, "officeDocument", "xl/workbook.xml")}</Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{relation(1, "worksheet", "worksheets/sheet1.xml")}'
        f'{relation(2, "sharedStrings", "sharedStrings.xml")}{relation(3, "styles", "styles.xml")}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">{properties}<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}">{sheet}</worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{strings}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}">{styles}</styleSheet>',
    }
    out = io.BytesIO()
    # not compressed, so that changes reach the XML
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part)
    return out.getvalue()


NAMES = ["ID", "User", "Status", "Name", "HireDate"]
STRINGS = "".join(f"<si><t>{name}</t></si>" for name in NAMES) + "<si><r><t>An</t></r><r><t>n</t></r></si>"
HEAD = '<row r="1">' + "".join(f'<c t="s"><v>{n}</v></c>' for n in range(5)) + "</row>"
STYLES = '<numFmts><numFmt numFmtId="164" formatCode="000000"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/></cellXfs>'
ROW = '<row r="2"><c r="A2" s="1"><v>4711</v></c><c r="B2" t="inlineStr"><is><t>a</t></is></c><c t="b"><v>1</v></c><c t="s"><v>5</v></c><c r="E2" s="2"><v>45352</v></c></row>'
ODD = '<row r="3" hidden="1"><c r="A3" t="e"><v>#N/A</v></c><c r="B3"><f>A1</f></c><c r="C3" t="str"><f>B1</f><v>x</v></c><c r="E3" s="2"><v>60</v></c></row>'
END = '<row r="4"><c r="A4" t="inlineStr"><is><t>Total: 2</t></is></c></row>'
seed("workbook", "stored.xlsx", book(f"<sheetData>{HEAD}{ROW}</sheetData>", STRINGS, STYLES), 0)
seed("workbook", "odd.xlsx", book(
    f'<sheetData>{HEAD}{ROW}{ODD}{END}</sheetData><autoFilter ref="A1:E3"/><mergeCells><mergeCell ref="D2:D3"/></mergeCells>',
    STRINGS, STYLES, '<workbookPr date1904="1"/>'), 16 | 8)

for n, path in enumerate([
    "userName", "name.givenName", 'emails[type eq "work"].value', "enterprise:manager", "enterprise:manager.value",
    "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate", 'addresses[type eq "work"].streetAddress',
    'emails[type eq "wo', "a..b", "enterprise:", 'phoneNumbers[type eq "mobile" and primary eq true].value',
]):
    seed("path", f"{n:02}", path)

for n, text in enumerate([
    'Join(" - ", First, row["Last Name"])\0Ann\0Lee\x002024-03-01\x007',
    'Switch(Grade, "none", "1", "one", "2", "two")\0Ann\0Lee\0\x001',
    'Grade != "Contractor" && size(First) > 2\0Ann',
    'FormatDateTime(Hired, , "yyyy-MM-dd", "dd.MM.yyyy")\0\0\x002024-03-01',
    'First.matches("^(a+)+$")\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!',
    'Replace(First, , "(?<x>.)", , "[${x}]", , )\0Ann',
    '[1, 2, 3].map(x, x * 9223372036854775807)',
    '"' + "a" * 100 + '" + ' * 1 + '"b"',
    "(" * 80 + "1" + ")" * 80,
    "[[1,2].map(a, [1,2].map(b, [1,2].map(c, a * b * c)))].size() > 0",
    'NormalizeDiacritics(First) + ToUpper(Left(First, 3)) + Mid(First, 1, 2)\0Zoë',
]):
    seed("expression", f"{n:02}", text)

for name, text in {
    "plain": "@{\n    externalId = 'WorkerID'\n    name = @{ familyName = 'LastName'; givenName = 'FirstName' }\n}\n",
    "script": "@{\n  active = { $_.'WorkerStatus' -eq 'Active' }\n  userName = { \"$($_.UserID)@contoso.example\".ToLower() }\n}\n",
    "nested": "@{\n  \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\" = @{ manager = @{ value = 'ManagerID' } } # note\n"
              "  <# more #> emails = @( @{ type = { 'work' }; value = 'Mail' } )\n}\n",
    "broken": "@{ a = @( @{ b = 'c\n",
    "quotes": "@{ 'a''b' = \"x`n`\"$y\"; c = @'\nhere 'it' is\n'@\n}\n",
}.items():
    seed("psd1", name, text)
