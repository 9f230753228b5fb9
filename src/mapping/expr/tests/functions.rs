//! Each of Entra's functions, by examples.

use super::shown;

#[track_caller]
fn hold(table: &[(&str, &str)]) {
    let row = [
        ("First", "Zoë"),
        ("Last", "O'Neil-Łęcki"),
        ("Full", "the quick brown fox"),
        ("Id", "00123"),
        ("Mail", "zoe.oneil@fabrikam.com"),
        ("Hired", "2020-03-16"),
        ("Tags", "a;b;a;;c"),
        ("Country", "DE"),
        ("Cost Center", "4711"),
    ];
    for (text, expected) in table {
        assert_eq!(shown(text, &row), *expected, "for {text}");
    }
}

#[test]
fn text_is_cut_put_together_and_changed() {
    hold(&[
        (r#"Append(First, "@contoso.com")"#, r#""Zoë@contoso.com""#),
        (r#"Append(Nothing, "x")"#, r#""x""#),
        ("Append(First, 1)", r#""Zoë1""#),
        ("CStr(5)", r#""5""#),
        ("CStr(true)", r#""True""#),
        ("CStr(null)", r#""""#),
        ("CStr(1.5)", r#""1.5""#),
        (r#"CStr(Split(Tags, ";"))"#, "fails: `CStr` was given a list where one value is expected"),
        (r#"ConvertToBase64("Hello world!")"#, r#""SABlAGwAbABvACAAdwBvAHIAbABkACEA""#),
        (r#"ConvertToUTF8Hex("Hello world!")"#, r#""48656C6C6F20776F726C6421""#),
        (r#"InStr("The quick brown fox", "quick")"#, "5"),
        (r#"InStr("repEated", "e", 3, vbBinaryCompare)"#, "7"),
        (r#"InStr("repEated", "e", 3, vbTextCompare)"#, "4"),
        (r#"InStr("repEated", "E", 1, "vbBinaryCompare")"#, "4"),
        (r#"InStr("abc", "d")"#, "0"),
        (r#"InStr("abc", "", 9)"#, "4"),
        (
            r#"InStr("abc", "a", 0)"#,
            "fails: `InStr` counts from 1, so it cannot start at 0 or before",
        ),
        ("Left(First, 2)", r#""Zo""#),
        ("Left(First, 3)", r#""Zoë""#),
        ("Left(First, 0)", r#""""#),
        ("Left(First, -1)", r#""Zoë""#),
        ("Left(First, 99)", r#""Zoë""#),
        ("Left(null, 2)", r#""""#),
        ("Left(First, Id)", r#""Zoë""#),
        ("Left(First, Last)", "fails: `Left` was given something that is no whole number"),
        ("Len(First)", "3"),
        ("Len(Nothing)", "0"),
        ("Mid(Full, 5, 5)", r#""quick""#),
        ("Mid(Full, 17, 99)", r#""fox""#),
        ("Mid(Full, 99, 5)", r#""""#),
        ("Mid(Full, 0, 3)", r#""the""#),
        ("Mid(Full, 5)", r#""quick brown fox""#),
        ("NormalizeDiacritics(Last)", r#""O'Neil-Lecki""#),
        ("PCase(Full)", r#""The Quick Brown Fox""#),
        (r#"PCase("MARY-ANN o'neil", " ")"#, r#""Mary-ann O'neil""#),
        (r#"PCase("MARY-ANN o'neil")"#, r#""Mary-Ann O'Neil""#),
        ("StripSpaces(Full)", r#""thequickbrownfox""#),
        ("StripSpaces(Id)", r#""00123""#),
        ("ToLower(Last)", r#""o'neil-łęcki""#),
        (r#"ToUpper(First, "en-US")"#, r#""ZOË""#),
        (r#"Word(Full, 3, " ")"#, r#""brown""#),
        (r#"Word("This,string!has&many separators", 3, ",!&#")"#, r#""has""#),
        (r#"Word(Full, 5, " ")"#, r#""""#),
        (r#"Word(Full, 0, " ")"#, r#""""#),
    ]);
}

#[test]
fn join_leaves_out_what_is_empty_and_expands_lists() {
    hold(&[
        (r#"Join(" - ", First, Country)"#, r#""Zoë - DE""#),
        (r#"Join(" - ", First, Nothing, Country)"#, r#""Zoë - DE""#),
        (r#"Join(" - ", Nothing, Country)"#, r#""DE""#),
        (r#"Join(" - ", Nothing, "")"#, r#""""#),
        (r#"Join("", First, Country)"#, r#""ZoëDE""#),
        (r#"Join("|", Split(Tags, ";"), 1, true)"#, r#""a|b|a|c|1|True""#),
        (r#"Join(Country, "a", "b")"#, r#""aDEb""#),
    ]);
}

#[test]
fn lists_are_split_counted_and_taken_from() {
    hold(&[
        (r#"Split(Tags, ";")"#, r#"["a", "b", "a", "", "c"]"#),
        (r#"Split(Nothing, ";")"#, "[]"),
        (r#"Split(Tags, "")"#, "fails: `Split` was given nothing to split at"),
        (r#"Count(Split(Tags, ";"))"#, "5"),
        ("Count(First)", "1"),
        ("Count(Nothing)", "0"),
        (r#"Item(Split(Tags, ";"), 2)"#, r#""b""#),
        (r#"Item(Split(Tags, ";"), 9)"#, "null"),
        (r#"Item(Split(Tags, ";"), 0)"#, "null"),
        ("Item(First, 1)", r#""Zoë""#),
        (r#"Join(";", RemoveDuplicates(Split(Tags, ";")))"#, r#""a;b;c""#),
    ]);
}

#[test]
fn an_empty_cell_is_null_to_what_asks_for_null() {
    hold(&[
        ("Coalesce(Nothing, null, First, Last)", r#""Zoë""#),
        (r#"Coalesce(Nothing, "nobody")"#, r#""nobody""#),
        ("Coalesce(Nothing, None)", r#""""#),
        ("IsNull(Nothing)", "true"),
        ("IsNull(null)", "true"),
        (r#"IsNullOrEmpty("")"#, "true"),
        ("IsNullOrEmpty(First)", "false"),
        ("IsPresent(First)", "true"),
        ("IsPresent(Nothing)", "false"),
        ("IsString(First)", "true"),
        ("IsString(null)", "false"),
        (r#"IIF(IsPresent(Nothing), "a", "b")"#, r#""b""#),
        (r#"IIF(Country == "DE", First, Last)"#, r#""Zoë""#),
        // only the branch that is taken
        (r#"IIF(IsNullOrEmpty(Nothing), "none", DateAdd("d", 1, First))"#, r#""none""#),
        ("IgnoreFlowIfNullOrEmpty(First)", r#""Zoë""#),
    ]);
}

#[test]
fn switch_is_case_sensitive_and_has_a_default() {
    hold(&[
        (r#"Switch(Country, "?", "AT", "Vienna", "DE", "Berlin")"#, r#""Berlin""#),
        (r#"Switch(Country, "?", "de", "Berlin")"#, r#""?""#),
        (r#"Switch(Nothing, "?", "", "none")"#, r#""none""#),
        (r#"Switch(null, "?", "", "none")"#, r#""none""#),
        (r#"Switch(Id, false, "00123", true)"#, "true"),
    ]);
}

#[test]
fn numbers_and_truth_are_read_from_text() {
    hold(&[
        ("BitAnd(12, 10)", "8"),
        ("BitAnd(\"514\", 2)", "2"),
        ("BitAnd(First, 2)", "fails: `BitAnd` was given something that is no whole number"),
        ("CBool(\"0\")", "false"),
        ("CBool(2)", "true"),
        ("CBool(\"TRUE\")", "true"),
        ("CBool(Country == \"DE\")", "true"),
        ("CBool(First)", "fails: `CBool` was given something that is no whole number"),
        ("Not(\"False\")", "true"),
        ("Not(Country == \"DE\")", "false"),
        ("Not(First)", "fails: `Not` was given something that is neither true nor false"),
    ]);
}

#[test]
fn dates_are_read_moved_and_written() {
    hold(&[
        (r#"CDate("2020-03-16-07:00")"#, r#""3/16/2020 7:00:00 AM""#),
        ("CDate(Nothing)", "null"),
        ("CDate(First)", "fails: `CDate` was given something that is no date it can read"),
        (r#"DateAdd("d", 5, CDate("2012-03-16-07:00"))"#, r#""3/21/2012 7:00:00 AM""#),
        (r#"DateAdd("d", -5, "2012-03-16-07:00")"#, r#""3/11/2012 7:00:00 AM""#),
        (r#"DateAdd("m", 1, "2024-01-31")"#, r#""2/29/2024 12:00:00 AM""#),
        (r#"DateAdd("yyyy", 1, "2024-02-29")"#, r#""2/28/2025 12:00:00 AM""#),
        (r#"DateAdd("ww", 1, Hired)"#, r#""3/23/2020 12:00:00 AM""#),
        (r#"DateAdd("n", 90, Hired)"#, r#""3/16/2020 1:30:00 AM""#),
        (r#"DateAdd("s", 1, Hired)"#, r#""3/16/2020 12:00:01 AM""#),
        (r#"DateAdd("yyyy", 9999, Hired)"#, "fails: `DateAdd` leads beyond the calendar"),
        (
            r#"DateAdd("d", 9223372036854775807, Hired)"#,
            "fails: `DateAdd` leads beyond the calendar",
        ),
        (r#"DateAdd("d", 1, Nothing)"#, "null"),
        (r#"DateDiff("d", "2021-10-18", "2021-10-28")"#, "10"),
        (r#"DateDiff("d", "2021-10-28", "2021-10-18")"#, "-10"),
        (r#"DateDiff("h", "2021-10-18", "2021-10-18T23:59:59")"#, "23"),
        (r#"DateDiff("m", "2021-01-31", "2021-03-30")"#, "1"),
        (r#"DateDiff("yyyy", "2020-03-16", "2024-03-15")"#, "3"),
        (r#"DateDiff("ww", "2021-10-01", "2021-10-28")"#, "3"),
        (r#"DateDiff("n", "2021-10-18", "2021-10-18T01:00:30")"#, "60"),
        (r#"DateDiff("s", "2021-10-18", "2021-10-18T01:00:30")"#, "3630"),
        ("DateFromNum(129699324000000000)", r#""1/1/2012 11:00:00 PM""#),
        ("DateFromNum(-1)", "fails: `DateFromNum` was given a number below 0"),
        (r#"NumFromDate("2012-01-01 23:00:00")"#, "129699324000000000"),
        (r#"NumFromDate(CDate("2012-01-01T23:00:00Z"))"#, "129699324000000000"),
        (
            r#"NumFromDate("1600-12-31")"#,
            "fails: `NumFromDate` was given a date before 1601, where AD's count begins",
        ),
        (r#"FormatDateTime(Hired, "", "yyyy-MM-dd", "dd.MM.yyyy")"#, r#""16.03.2020""#),
        (r#"FormatDateTime("20200316", null, "yyyyMMdd", "MMM d yyyy")"#, r#""Mar 16 2020""#),
        // what a date cell of a workbook looks like, beside the format of the text cells
        (r#"FormatDateTime(Hired, "", "dd.MM.yyyy", "yyyyMMdd")"#, r#""20200316""#),
        (
            r#"FormatDateTime("2020-03-16T23:00:00-02:00", "AdjustToUniversal", "", "yyyy-MM-ddTHH:mmK")"#,
            r#""2020-03-17T01:00Z""#,
        ),
        (r#"FormatDateTime(Nothing, "", "yyyyMMdd", "yyyy")"#, "null"),
        (
            r#"FormatDateTime(First, "", "yyyyMMdd", "yyyy")"#,
            "fails: `FormatDateTime` was given something that is no date in its format",
        ),
    ]);
}

#[test]
fn replace_has_its_five_modes() {
    hold(&[
        (r#"Replace(Full, "quick", "", "", "slow", "", "")"#, r#""the slow brown fox""#),
        (r#"Replace(Full, "quick", null, null, "", null, null)"#, r#""the  brown fox""#),
        (r#"Replace(Full, "QUICK", "", "", "slow")"#, r#""the quick brown fox""#),
        (
            r#"Replace(First, "%Attribute1%", "", "", "", "", "%Attribute1%@contoso.com")"#,
            r#""Zoë@contoso.com""#,
        ),
        (r#"Replace(Id, "", "^0+", "", "", "", "")"#, r#""123""#),
        (
            r#"Replace(Full, "", "(?<first>\\w+) (?<second>\\w+)", "", "${second} $1 $$", "", "")"#,
            r#""quick the $ fox brown $""#,
        ),
        (r#"Replace(Full, "", "quick", "", "$7 ${x} $", "", "")"#, r#""the $7 ${x} $ brown fox""#),
        (
            r#"Replace(Mail, "", r"(?<Suffix>@(.)*)", "Suffix", "@contoso.com", "", "")"#,
            r#""zoe.oneil@contoso.com""#,
        ),
        (r#"Replace(Nothing, "", r"(?<name>[^@]*)@", "name", "", Mail, "")"#, r#""zoe.oneil""#),
        (r#"Replace(First, "", r"(?<name>[^@]*)@", "name", "", Mail, "")"#, r#""Zoë""#),
    ]);
}

#[test]
fn the_rest_of_the_language_is_there_too() {
    hold(&[
        (r#"row["Cost Center"]"#, r#""4711""#),
        (r#"First + " " + Last"#, r#""Zoë O'Neil-Łęcki""#),
        (r#"Country in ["DE", "AT"]"#, "true"),
        (r#"First.startsWith("Z") && !Last.contains("x") && Mail.endsWith(".com")"#, "true"),
        (r#"Mail.matches("^[a-z.]+@")"#, "true"),
        (r#"matches(Mail, "^x")"#, "false"),
        (r#"First.matches("^Z") ? 1.5 : 2.5"#, "\"1.5\""),
        ("size(First) + 1", "4"),
        ("Left(Full, Len(Full) - 4)", r#""the quick brown""#),
        ("int(Id) % 10", "3"),
        (r#"{"DE": "Germany", "AT": "Austria"}[Country]"#, r#""Germany""#),
        (r#"{"AT": "Austria"}[Country]"#, "fails: `[ ]` finds no such entry"),
        (r#"Country in {"DE": 1}"#, "true"),
        (r#"Split(Tags, ";")[1]"#, r#""b""#),
        ("int(First)", "fails: `int` was given a text that it cannot read"),
        ("1 / (Len(First) - 3)", "fails: `/` divides by zero"),
        ("string(1u) + Left(First, 1)", r#""1Z""#),
        (
            "string(1u) + Left(First, Last)",
            "fails: `Left` was given something that is no whole number",
        ),
    ]);
}

#[test]
fn no_chain_of_replacements_fills_the_memory() {
    let mut text = "Full".to_owned();
    for _ in 0..12 {
        text = format!("Replace({text}, \" \", \"\", \"\", \"{}\", \"\", \"\")", " ".repeat(500));
    }
    hold(&[(&text, "fails: `Replace` makes a text that is too long")]);
}
