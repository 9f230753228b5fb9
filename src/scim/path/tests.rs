//! What paths mean, and what is said about those that mean nothing.

use super::*;

fn canonical(written: &str) -> String {
    AttributePath::parse(written).expect(written).to_string()
}

fn fault(written: &str) -> PathError {
    AttributePath::parse(written).expect_err(written)
}

#[test]
fn a_path_reads_as_the_rfc_writes_it() {
    for written in [
        "externalId",
        "name.givenName",
        "emails[type eq \"work\"].value",
        "addresses[type eq \"home\"].primary",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref",
        "urn:contoso:employee:HireDate",
    ] {
        assert_eq!(canonical(written), written);
    }
}

#[test]
fn short_and_long_forms_name_the_same_value() {
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
    assert_eq!(canonical("enterprise:manager"), manager);
    assert_eq!(canonical("enterprise:manager.value"), manager);
    assert_eq!(canonical("emails[ type EQ \"work\" ]"), "emails[type eq \"work\"].value");
    assert_eq!(canonical("urn:ietf:params:scim:schemas:core:2.0:User:userName"), "userName");
}

#[test]
fn a_custom_urn_and_its_attribute_split_at_the_last_colon() {
    let path =
        AttributePath::parse("urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate")
            .expect("a path");
    assert_eq!(path.custom_urn(), Some("urn:ietf:params:scim:schemas:extension:contoso:1.0:User"));
    assert_eq!(path.attribute(), "HireDate");
}

#[test]
fn the_wrong_case_is_a_mistake_with_a_suggestion() {
    let fault = fault("username");
    assert_eq!(fault.position, 1);
    assert_eq!(fault.suggestion.as_deref(), Some("userName"));
    let upper = super::AttributePath::parse("name.GivenName").expect_err("wrong case");
    assert_eq!(upper.suggestion.as_deref(), Some("name.givenName"));
    assert_eq!(upper.position, 6);
}

#[test]
fn a_complex_attribute_without_value_names_its_parts() {
    let name = fault("name");
    assert!(name.message.contains("`givenName`"), "{name}");
    let address = fault("addresses[type eq \"work\"]");
    assert!(address.message.contains("`postalCode`"), "{address}");
    assert_eq!(address.suggestion.as_deref(), Some("addresses[type eq \"work\"].streetAddress"));
}

#[test]
fn a_list_needs_a_type() {
    for written in
        ["emails", "emails.value", "emails[type eq 'work'].value", "emails[type eq \"work\""]
    {
        assert_eq!(
            fault(written).suggestion.as_deref(),
            Some("emails[type eq \"work\"].value"),
            "for {written}"
        );
    }
    assert_eq!(
        fault("addresses.country").suggestion.as_deref(),
        Some("addresses[type eq \"work\"].country")
    );
}

#[test]
fn what_a_client_must_not_set_is_refused_with_the_reason() {
    for (written, reason) in [
        ("id", "`externalId`"),
        ("meta", "read-only"),
        ("groups", "read-only"),
        ("password", "none is sent"),
        ("schemas", "by itself"),
        ("emails[type eq \"work\"].type", "from the filter"),
    ] {
        assert!(fault(written).message.contains(reason), "{}", fault(written));
    }
}

#[test]
fn nonsense_is_refused_where_it_starts() {
    for (written, position) in [
        ("", 1),
        (" userName", 1),
        ("userName.x", 9),
        ("userName[type eq \"work\"]", 9),
        ("enterprise:departmnt", 12),
        ("urn:contoso:employee:Hire.Date", 26),
        ("urn:contoso:employee:1st", 22),
        ("urn:contoso:", 1),
        ("contoso:Grade", 1),
        ("urn:ietf:params:scim:schemas:core:2.0:Group:members", 1),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", 1),
        ("URN:ietf:params:scim:schemas:core:2.0:User:userName", 1),
    ] {
        assert_eq!(fault(written).position, position, "for `{written}`: {}", fault(written));
    }
}

#[test]
fn paths_sort_into_the_order_of_a_resource() {
    let order = [
        "externalId",
        "userName",
        "name.formatted",
        "name.familyName",
        "name.givenName",
        "active",
        "emails[type eq \"work\"].value",
        "emails[type eq \"work\"].primary",
        "emails[type eq \"home\"].value",
        "emails[type eq \"other\"].value",
        "addresses[type eq \"work\"].country",
        "enterprise:department",
        "enterprise:manager",
        "enterprise:manager.$ref",
        "enterprise:manager.displayName",
        "urn:a:b:X",
        "urn:a:b:Y",
        "urn:a:c:A",
    ];
    let mut paths: Vec<_> =
        order.iter().rev().map(|path| AttributePath::parse(path).expect(path)).collect();
    paths.sort();
    let sorted: Vec<_> = paths.iter().map(ToString::to_string).collect();
    assert_eq!(sorted, order.map(canonical));
}
