//! Whole mapping files: what they read as, what is refused, and what becomes of every form.

use serde_json::{Map, Value as Json, json};

use super::read::{Entry, Item, Value, read};
use super::{Part, Psd1, Translation};

mod properties;

const FULL: &str = include_str!("../../../tests/fixtures/mapping/own-full.psd1");
const EXPECTED: &str = include_str!("../../../tests/fixtures/mapping/own-full.expected.json");
const REFUSED: &str = include_str!("../../../tests/fixtures/mapping/own-refused.txt");

fn neutral(entries: &[Entry]) -> Json {
    let entry = |entry: &Entry| (entry.key.clone(), neutral_item(&entry.item));
    Json::Object(entries.iter().map(entry).collect::<Map<_, _>>())
}

fn neutral_item(item: &Item) -> Json {
    match &item.value {
        Value::Text(name) => json!({ "column": name }),
        Value::Script(text) => json!({ "script": text }),
        Value::Table(entries) => json!({ "object": neutral(entries) }),
        Value::List(items) => {
            json!({ "array": items.iter().map(neutral_item).collect::<Vec<_>>() })
        }
        Value::Other(text) => json!({ "other": text }),
        Value::Null => Json::Null,
    }
}

fn translate(text: &str) -> Translation {
    Psd1::parse(text).unwrap_or_else(|error| panic!("{error}: {text}")).translate()
}

/// The right side of the line that an entry becomes, or why it becomes none.
fn made(entry: &str) -> String {
    let translation = translate(&format!("@{{ {entry} }}"));
    match translation.parts.first().unwrap() {
        Part::Line(_) => {
            let toml = translation.to_toml("f", "hr");
            let lines = toml.lines().filter(|line| !line.starts_with('#') && line.contains(" = "));
            let lines: Vec<&str> = lines.map(|line| line.split("  # ").next().unwrap()).collect();
            lines.join("\n")
        }
        Part::Gap(gap) => format!("gap: {}", gap.message),
    }
}

fn custom(script: &str) -> String {
    let line = made(&format!("'urn:x:y' = @{{ a = {{ {script} }} }}"));
    line.strip_prefix("\"urn:x:y:a\" = ").unwrap_or(&line).to_owned()
}

fn refusal(text: &str) -> String {
    Psd1::parse(text).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_full_example_reads_as_expected() {
    let expected: Json = serde_json::from_str(EXPECTED).unwrap();
    assert_eq!(neutral(&read(FULL).unwrap()), expected);
}

#[test]
fn what_powershell_refuses_is_refused_with_its_line() {
    let mut count = 0;
    for line in REFUSED.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let error = Psd1::parse(line).unwrap_err();
        assert_eq!(error.line, 1, "{line}");
        assert_eq!(error.text, line);
        count += 1;
    }
    assert_eq!(count, 7);
    for (text, expected) in [
        (
            "@{\n a = 'b'\n A = 'c' }",
            "line 3: the key `A` is in this hashtable twice (case is ignored)",
        ),
        ("@{\n a.b = 'c' }", "line 2: after the key `a` an equals sign belongs"),
        (
            "@{ a = b }",
            "line 1: a command, which is a word without quotes, which a PowerShell data file must not hold",
        ),
        (
            "@{ a = \"x$y\" }",
            "line 1: a text in double quotes holds a variable, which a PowerShell data file must not hold",
        ),
        ("@{ a = 'b' -f 'c' }", "line 1: an operator, which a PowerShell data file must not hold"),
        ("@{ a = 'b'", "line 1: a hashtable is opened here and never closed"),
        ("@{\n a = 'b\n }", "line 2: a quote is opened here and never closed"),
        (
            "@{ a = [ordered]@{} }",
            "line 1: a type name, which a PowerShell data file must not hold",
        ),
        ("# @{ }\n'@{'", "line 1: the file holds no hashtable"),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
    let deep = format!("@{{ a = {}", "@(".repeat(10_000));
    assert!(refusal(&deep).contains("deeper than 32 levels"));
    let many: Vec<String> = (0..501).map(|number| format!("k{number} = 'c'")).collect();
    assert!(refusal(&format!("@{{ {} }}", many.join("\n"))).contains("more than 500 keys"));
    assert!(refusal(&" ".repeat(2_000_000)).contains("larger than"));
}

#[test]
fn everything_of_the_grammar_is_read() {
    let text = "$m = <# @{ } #> @{\r\n a\t=\r\n 'it''s' ; \"b c\" = \"x`t\"\"y\"\r\n\
        _d1 = @( @('A', 'B') ), 'C'\n e = @('A'\n'B';'C')\n f = ('A',\n 'B') # end\n\
        g = `\n 5\n h = $True; i = $null\n j = @'\nit's\n'@\n k = { '}' <# } #> }\n l = @{};;\n}\n+ 1";
    assert_eq!(
        neutral(&read(text).unwrap()),
        json!({
            "a": {"column": "it's"},
            "b c": {"column": "x\t\"y"},
            "_d1": {"array": [{"array": [{"column": "A"}, {"column": "B"}]}, {"column": "C"}]},
            "e": {"array": [{"column": "A"}, {"column": "B"}, {"column": "C"}]},
            "f": {"array": [{"column": "A"}, {"column": "B"}]},
            "g": {"other": "5"},
            "h": {"other": "True"},
            "i": null,
            "j": {"column": "it's"},
            "k": {"script": " '}' <# } #> "},
            "l": {"object": {}},
        })
    );
}

#[test]
fn script_blocks_become_the_plainest_rule_that_says_the_same() {
    for (entry, expected) in [
        ("title = 'Job'", "title = \"Job\""),
        ("TITLE = '{Job}'", "title = { from = \"{Job}\" }"),
        ("title = { $_.'Job Title' }", "title = \"Job Title\""),
        ("title = { [string]$PSItem.Job.Trim() }", "title = \"Job\""),
        ("title = { 'Staff' }", "title = { const = \"Staff\" }"),
        ("title = { 42 }", "title = { const = \"42\" }"),
        ("title = { return \"$($_.A) - $($_.\"B C\"){x}\" }", "title = \"{A} - {B C}{{x}}\""),
        ("title = { $_.A + ' ' + $_.B }", "title = \"{A} {B}\""),
        ("title = { '{1}, {0}{{' -f $_.A, $_.B }", "title = \"{B}, {A}{{\""),
        ("title = { $_.A, $_.B -join '/' }", "title = \"{A}/{B}\""),
        ("title = { $_.A.ToUpper() }", "title = { from = \"A\", case = \"upper\" }"),
        ("title = { \"$($_.A)x\".ToLower() }", "title = { template = \"{A}x\", case = \"lower\" }"),
        (
            "active = { $_.Status -eq 'A' -or $_.status -ieq 'L' }",
            "active = { from = \"Status\", map = { A = true, L = true }, otherwise = false }",
        ),
        (
            "active = { $_.Status -ne 'gone away' }",
            "active = { from = \"Status\", map = { \"gone away\" = false }, otherwise = true }",
        ),
        (
            "active = { $_.Status -notin 'x', 'y' }",
            "active = { from = \"Status\", map = { x = false, y = false }, otherwise = true }",
        ),
        (
            "active = { if ($_.S -eq 'A') { 'True' } else { 'false' } }",
            "active = { from = \"S\", map = { A = true }, otherwise = false }",
        ),
        ("active = { $_.S -ceq 'A' }", "active = { expr = 'S == \"A\"' }"),
        (
            "active = { $_.S -eq 'A' -and $_.T }",
            "active = { expr = 'ToLower(S) == \"a\" && T != \"\"' }",
        ),
        ("active = { $true }", "active = { const = true }"),
        (
            "userType = { if ($_.T -eq 'E') { 'Employee' } else { 'Other' } }",
            "userType = { from = \"T\", default = \"Other\", map = { E = \"Employee\" }, otherwise = \"Other\" }",
        ),
        (
            "userType = { switch ($_.T) { 'a' { 'x' }\n 'b' { 'y'; break }\n default { 'z' } } }",
            "userType = { from = \"T\", default = \"z\", map = { a = \"x\", b = \"y\" }, otherwise = \"z\" }",
        ),
        (
            "userType = { if ($_.T -eq 'E') { 'Employee' } }",
            "userType = { expr = 'ToLower(T) == \"e\" ? \"Employee\" : \"\"' }",
        ),
        (
            "name = @{ GIVENNAME = 'First'; formatted = { $_.L + ', ' + $_.F } }",
            "\"name.givenName\" = \"First\"\n\"name.formatted\" = \"{L}, {F}\"",
        ),
        (
            "emails = @(@{ type = { 'work' }; value = 'Mail'; primary = { $true } })",
            "'emails[type eq \"work\"].value' = \"Mail\"\n'emails[type eq \"work\"].primary' = { const = true }",
        ),
        (
            "'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User' = @{ manager = @{ value = 'Boss' } }",
            "\"enterprise:manager.value\" = \"Boss\"",
        ),
    ] {
        assert_eq!(made(entry), expected, "{entry}");
    }
}

#[test]
fn an_attribute_of_an_extension_keeps_the_type_that_the_block_yields() {
    assert_eq!(custom("$true"), "{ const = true, type = \"boolean\" }");
    assert_eq!(custom("7"), "{ const = 7, type = \"integer\" }");
    assert_eq!(
        custom("$_.A -eq 'x'"),
        "{ from = \"A\", default = false, map = { x = true }, otherwise = false, type = \"boolean\" }"
    );
    assert_eq!(
        custom("$_.A -like 'x*'"),
        r#"{ expr = 'A.matches("(?i)(?s)^x.*$")', type = "boolean" }"#
    );
    assert_eq!(
        custom(
            "[datetime]::ParseExact($_.Hired,'dd.MM.yyyy',$null).ToString('yyyy-MM-ddTHH:mm:ssZ')"
        ),
        "{ from = \"Hired\", date = [\"%d.%m.%Y\"] }"
    );
}

#[test]
fn what_is_not_understood_is_never_guessed() {
    for (script, expected) in [
        ("Get-Date", "it runs the command `Get-Date`"),
        ("$_.A | Out-String", "it pipes values into a command"),
        ("$x = 1", "it uses the variable `$x`"),
        ("$env:USER", "it uses the variable `$env:user`"),
        ("$_.A; $_.B", "it holds more than one expression"),
        ("$_", "it uses the whole row"),
        ("$_['A']", "it uses `$_[…]`"),
        ("\"$_.A\"", "in double quotes `$_.Name` is the whole row and then `.Name`"),
        ("$_.A.Length", "it asks for the property `Length` of a value"),
        ("$_.A[0]", "it asks for one element of a value"),
        (
            "$_.A -eq $null",
            "it compares with $null, which no cell of a CSV file is, not even an empty one",
        ),
        ("-not $_.A -eq 'x'", "on the left of a comparison stands no text"),
        (
            "$_.A -contains 'x'",
            "it looks for a value in something that is no list, so it compares the whole",
        ),
        ("$_.A -match '(?=x)'", "the regular expression looks around or back, or is none"),
        ("$_.A -like '[ab]*'", "the wildcard has more in it than `*` and `?`"),
        ("$_.A -split ','", "it uses the operator `-split`"),
        ("$_.A -xor $_.B", "it uses the operator `-xor`"),
        ("1 + $_.A", "it adds to something that is no text"),
        ("$_.A - 1", "it calculates with `-`"),
        ("'{0:d}' -f $_.A", "the format has more in it than places like `{0}`"),
        ("$_.A, $_.B", "it yields a list, and here an attribute has one value"),
        ("@{ a = $_.A }", "it builds an object"),
        ("[int]$_.A", "it turns text into a number"),
        ("[datetime]$_.A", "it reads a date in whatever order this machine's culture has"),
        ("[guid]::NewGuid()", "it calls `[guid]::NewGuid`"),
        (
            "switch ($_.A) { 'x' { $_.B } }",
            "inside a `switch`, `$_` is the value looked at, not the row",
        ),
        (
            "switch ($_.A) { 'x' { 1 } 'X' { 2 } }",
            "the `switch` has the case `X` twice, which yields a list",
        ),
        ("switch -regex ($_.A) { 'x' { 1 } }", "it has a `switch -regex`"),
        ("$_.A.PadLeft(8, '0')", "it fills text up on the left"),
        ("", "the block yields nothing"),
        ("$null", "it yields nothing"),
        ("1.5", "it yields a number that is no whole one"),
        (
            "[datetime]::ParseExact($_.A,'dd.MM.yy',$null).ToString('s')",
            "the format that it reads the date by is not understood",
        ),
        (
            "[datetime]::ParseExact($_.A,'dd.MM.yyyy',$null).ToString('dd/MM')",
            "it writes a date in another form than ISO 8601",
        ),
    ] {
        assert_eq!(custom(script), format!("gap: {expected}"), "{script}");
    }
    let deep = "(".repeat(300);
    assert!(custom(&format!("{deep}1{}", ")".repeat(300))).starts_with("gap: the nesting"));
}

#[test]
fn classic_mistakes_are_told() {
    for (entry, expected) in [
        (
            "emails = @(@{ type = 'work'; value = 'Mail' })",
            "`type = 'work'` names a column `work`, so CSV2SCIM sends no type",
        ),
        (
            "emails = @(@{ value = 'Mail' })",
            "the entry has no type, and entries are told apart by it",
        ),
        ("emails = 'Mail'", "the attribute is a list, whose entries are told apart by their type"),
        ("title = 5", "without braces `5` is the name of a column, so CSV2SCIM sends null"),
        ("active = $true", "without braces `True` is the name of a column, so CSV2SCIM sends null"),
        ("title = $null", "CSV2SCIM fails at `$null` and leaves the attribute out"),
        ("title = 'A', 'B'", "CSV2SCIM sends a list here, and an attribute has one value"),
        ("title = @{ a = 'B' }", "the attribute is one value and has no parts"),
        ("title = { $true }", "the attribute is text, and the block yields true or false"),
        ("titel = 'A'", "the core user schema has no attribute `titel`"),
        ("externalId = { 'x' }", "the same id for everybody identifies nobody"),
        (
            "active = { 'A' + $_.B }",
            "the attribute is true or false, and the block yields something else",
        ),
        (
            "groups = @('A')",
            "`groups` cannot be mapped: it is read-only; memberships are changed on the group",
        ),
    ] {
        assert_eq!(made(entry), format!("gap: {expected}"), "{entry}");
    }
    let missing: Vec<String> =
        translate("@{ userName = 'U' }").gaps().map(|gap| gap.key.clone()).collect();
    assert_eq!(missing, ["externalId", "active"]);
    assert_eq!(translate("@{ externalId = 'U'; active = 'A' }").gaps().count(), 0);
    let notes = |text: &str| translate(text).lines().next().unwrap().notes.clone();
    assert!(notes("@{ active = 'Status' }")[0].contains("only the words true and false"));
    let primary = notes("@{ addresses = @(@{ type = { 'work' }; primary = { $true } }) }");
    assert!(primary[0].contains("RFC 7643 forgets"));
    let twice = translate(
        "@{ emails = @{ type = { 'work' }; value = 'A' }, @{ type = { 'work' }; value = 'B' } }",
    );
    assert_eq!(twice.gaps().next().unwrap().message, "the attribute is mapped a second time");
}
