//! Schemas read, held against mappings, added to and compared.

use serde_json::{Value, json};

use super::*;

/// A schema whose source directory is the second one, with oddities everywhere.
const ODD: &str = r#"{
  "@odata.context" : "https:\/\/graph.example\/$metadata#schema",
  "big": 123456789012345678901234567890, "small": 1.50e-7, "zero": -0.0,
  "directories": [
    {"name": "Microsoft Entra ID", "objects": [{"name":"User","attributes":[{"name":"mail"}]}]},
    {"unknown": {"a": [1, {"b": null}]}, "name": "API", "objects": [
      {"name": "Group", "attributes": []},
      {"name": "User", "attributes": [
        {"name": "externalId", "type": "string", "anchor": true},
        {"type": "Integer", "name": "urn:contoso:User:Level"},
        {"name": "urn:contoso:User:Stra\u00dfe", "odd": "\ud83d\ude00"}
      ] }
    ]}
  ],
  "synchronizationRules": [
    {"name": "back", "priority": 1, "sourceDirectoryName": "API", "objectMappings": [{"sourceObjectName": "Group"}]},
    {"name": "in", "priority": 2, "sourceDirectoryName": "API", "objectMappings": [{"sourceObjectName": "User"}]}
  ]
}
"#;

fn read(text: &str) -> JobSchema {
    JobSchema::read(text.to_owned()).unwrap()
}

fn new(name: &str) -> NewAttribute {
    NewAttribute { name: name.to_owned(), kind: AttributeType::DateTime }
}

#[test]
fn the_source_is_the_directory_that_the_rule_for_users_names() {
    let schema = read(ODD);
    let source = schema.source(None).unwrap();
    assert_eq!((source.rule, source.directory, source.object), ("in", "API", "User"));
    let found: Vec<_> =
        source.attributes.iter().map(|known| (known.name.as_str(), known.kind.as_str())).collect();
    let street = "urn:contoso:User:Straße";
    let expected =
        [("externalId", "String"), ("urn:contoso:User:Level", "Integer"), (street, "String")];
    assert_eq!(found, expected);
}

#[test]
fn what_is_added_stands_behind_the_others_and_no_other_byte_changes() {
    let added = read(ODD).with_attributes(None, &[new("urn:contoso:User:Hire")]).unwrap();
    let definition = r#"{"anchor":false,"apiExpressions":[],"caseExact":false,"defaultValue":null,"flowNullValues":false,"metadata":[],"multivalued":false,"mutability":"ReadWrite","name":"urn:contoso:User:Hire","referencedObjects":[],"required":false,"type":"DateTime"}"#;
    let before = r#""odd": "\ud83d\ude00"}"#;
    assert_eq!(added, ODD.replace(before, &format!("{before},{definition}")));
    assert_eq!(read(ODD).with_attributes(None, &[]).unwrap(), ODD);
}

#[test]
fn an_empty_list_takes_its_first_attributes_without_a_comma_before() {
    let text = r#"{"directories":[{"name":"D","objects":[{"name":"User","attributes":[ ]}]}],"synchronizationRules":[{"sourceDirectoryName":"D","objectMappings":[{"sourceObjectName":"User"}]}]}"#;
    let added = read(text).with_attributes(None, &[new("urn:a:b"), new("urn:a:c")]).unwrap();
    let schema: Value = serde_json::from_str(&added).unwrap();
    let attributes = &schema["directories"][0]["objects"][0]["attributes"];
    assert_eq!(
        (&attributes[0]["name"], &attributes[1]["name"]),
        (&json!("urn:a:b"), &json!("urn:a:c"))
    );
}

fn problem(change: impl FnOnce(&mut Value)) -> SchemaProblem {
    let mut schema: Value = serde_json::from_str(ODD).unwrap();
    change(&mut schema);
    let schema = read(&schema.to_string());
    let problem = schema.source(None).unwrap_err();
    assert!(!problem.advice().is_empty());
    assert_eq!(schema.with_attributes(None, &[new("urn:a:b")]), Err(problem.clone()));
    problem
}

#[test]
fn without_a_clear_source_nothing_is_added() {
    use SchemaProblem as P;
    let rules = "synchronizationRules";
    assert_eq!(problem(|schema| schema[rules] = json!([])), P::NoRule);
    assert_eq!(problem(|schema| schema[rules] = json!(null)), P::NoRule);
    assert_eq!(problem(|schema| drop(schema[rules].as_array_mut().unwrap().pop())), P::NoUserRule);
    let (directory, object) = ("API".to_owned(), "User".to_owned());
    let gone = problem(|schema| schema["directories"][1]["name"] = json!("Api"));
    assert_eq!(gone, P::NoDirectory { directory: directory.clone(), rule: "in".to_owned() });
    let twice = problem(|schema| schema["directories"][0]["name"] = json!("API"));
    assert_eq!(twice, P::SameDirectory(directory.clone()));
    let no_list = P::NoAttributes { directory: directory.clone(), object };
    let user =
        |schema: &mut Value, value| schema["directories"][1]["objects"][1]["attributes"] = value;
    assert_eq!(problem(|schema| user(schema, json!(null))), no_list);
    assert_eq!(problem(|schema| user(schema, json!({}))), no_list);
    let several = problem(|schema| {
        let mut other = schema[rules][1].clone();
        other["sourceDirectoryName"] = json!("Microsoft Entra ID");
        schema[rules].as_array_mut().unwrap().push(other);
    });
    assert_eq!(several, P::SeveralSources(vec![directory, "Microsoft Entra ID".to_owned()]));
    for text in ["", "[]", "null", "{\"a\":", "7"] {
        assert_eq!(JobSchema::read(text.to_owned()).unwrap_err(), P::NoSchema, "{text}");
    }
}

#[test]
fn of_several_directories_the_one_that_is_asked_for_is_taken() {
    let mut schema: Value = serde_json::from_str(ODD).unwrap();
    let mut other = schema["synchronizationRules"][1].clone();
    other["sourceDirectoryName"] = json!("Microsoft Entra ID");
    other["name"] = json!("out");
    other["priority"] = json!(0);
    schema["synchronizationRules"].as_array_mut().unwrap().push(other);
    let schema = read(&schema.to_string());
    assert_eq!(schema.source(Some("API")).unwrap().rule, "in");
    assert_eq!(schema.source(Some("Microsoft Entra ID")).unwrap().rule, "out");
    let unknown = schema.source(Some("Nowhere")).unwrap_err();
    assert!(unknown.advice().contains("`API`, `Microsoft Entra ID`"), "{}", unknown.advice());
}

#[test]
fn a_rule_that_is_switched_off_counts_only_when_all_are() {
    let mut schema: Value = serde_json::from_str(ODD).unwrap();
    let mut other = schema["synchronizationRules"][1].clone();
    other["sourceDirectoryName"] = json!("Microsoft Entra ID");
    other["objectMappings"][0]["enabled"] = json!(false);
    schema["synchronizationRules"].as_array_mut().unwrap().push(other);
    assert_eq!(read(&schema.to_string()).source(None).unwrap().directory, "API");
    schema["synchronizationRules"].as_array_mut().unwrap().remove(1);
    let all_off = read(&schema.to_string());
    assert_eq!(all_off.source(None).unwrap().directory, "Microsoft Entra ID");
}

#[test]
fn a_read_only_directory_is_looked_at_and_not_changed() {
    let mut schema: Value = serde_json::from_str(ODD).unwrap();
    schema["directories"][1]["readOnly"] = json!(true);
    let schema = read(&schema.to_string());
    assert!(schema.source(None).is_ok());
    let refused = schema.with_attributes(None, &[new("urn:a:b")]);
    assert_eq!(refused, Err(SchemaProblem::ReadOnly("API".to_owned())));
}

#[test]
fn nesting_without_end_is_passed_over() {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let text = ODD.replacen("\"unknown\": {", &format!("\"deep\": {deep}, \"unknown\": {{"), 1);
    let schema = read(&text);
    let added = read(&schema.with_attributes(None, &[new("urn:a:b")]).unwrap());
    assert_eq!(added.text().len() - text.len(), r#",{"anchor":false,"apiExpressions":[],"caseExact":false,"defaultValue":null,"flowNullValues":false,"metadata":[],"multivalued":false,"mutability":"ReadWrite","name":"urn:a:b","referencedObjects":[],"required":false,"type":"DateTime"}"#.len());
    assert_eq!(schema.changes_to(&added).len(), 1);
    let deeper = read(&text.replacen("[[", "[[[", 1).replacen("]]", "]]]", 1));
    let changes = schema.changes_to(&deeper);
    assert_eq!(changes.len(), 1, "what differs deep down differs as a whole");
    assert!(changes[0].place.starts_with("directories[API].deep[0][0]"), "{}", changes[0].place);
}

fn wanted(name: &str, kinds: &[AttributeType]) -> WantedAttribute {
    let written = kinds.iter().enumerate();
    let written = written
        .map(|(at, kind)| Written { source: format!("s{at}").as_str().into(), kind: kind.clone() });
    WantedAttribute { name: name.to_owned(), written: written.collect() }
}

#[test]
fn every_kind_of_difference_has_its_list() {
    use AttributeType::{DateTime, Integer, String};
    let schema = read(ODD);
    let source = schema.source(None).unwrap();
    let found = source.difference(&[
        wanted("urn:contoso:User:Hire", &[DateTime, DateTime]),
        wanted("urn:contoso:User:Level", &[Integer, String]),
        wanted("urn:contoso:user:STRAße", &[String]),
        wanted("urn:contoso:User:Odd", &[String, Integer]),
    ]);
    assert_eq!(found.missing, [new("urn:contoso:User:Hire")]);
    let types: Vec<_> =
        found.types.iter().map(|other| (&*other.name, &other.written.kind)).collect();
    assert_eq!(types, [("urn:contoso:User:Level", &String)], "one source of two is wrong");
    assert_eq!(found.letters[0].known, "urn:contoso:User:Straße");
    assert_eq!(found.conflicts[0].name, "urn:contoso:User:Odd");
    assert!(found.unmapped.is_empty() && !found.is_fine() && found.needs_a_person());
    let nothing = source.difference(&[]);
    let unmapped: Vec<_> = nothing.unmapped.iter().map(|known| &*known.name).collect();
    assert_eq!(unmapped, ["urn:contoso:User:Level", "urn:contoso:User:Straße"]);
    assert!(nothing.is_fine(), "an attribute too many is no fault");
}

fn places(left: &str, right: &str) -> Vec<String> {
    let changes = read(left).changes_to(&read(right));
    changes.iter().map(|change| format!("{} {}", change.kind.as_str(), change.place)).collect()
}

#[test]
fn what_means_the_same_is_no_change() {
    let left = r#"{"version":"1","@odata.context":"a","a":{"x":1,"y":"\u00e4","n":null},"l":[{"name":"p"},{"name":"q"}]}"#;
    let right = r#" { "l" : [ {"name":"q","none":null} , {"name":"p"} ], "a":{"y":"ä","x":1}, "version":"2" } "#;
    assert_eq!(places(left, right), Vec::<String>::new());
}

#[test]
fn changes_are_named_by_their_place() {
    let left = r#"{"n":1,"d":[{"name":"API","o":[{"name":"User","a":[{"name":"x","t":"S"},{"name":"y"}]}]}],"p":[1,2]}"#;
    let right = r#"{"n":1.0,"d":[{"name":"API","o":[{"name":"User","a":[{"name":"x","t":"I"},{"name":"z"}]}]}],"p":[1]}"#;
    assert_eq!(
        places(left, right),
        [
            "changed n",
            "changed d[API].o[User].a[x].t",
            "removed d[API].o[User].a[y]",
            "added d[API].o[User].a[z]",
            "removed p[1]",
        ]
    );
}
