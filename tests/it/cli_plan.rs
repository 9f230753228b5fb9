//! `plan`: says what would happen, and nothing happens.

use crate::cli_support::{GOOD, MIXED, SOURCE, Stage, counted, of, offline};

#[test]
fn it_needs_neither_a_store_nor_a_secret_and_leaves_nothing_behind() {
    let place = offline(SOURCE, MIXED);
    let ran = place.run(&["plan", "workers.csv", "--source", "hr"]).expect(3);
    assert!(ran.out.contains("2 to send") && ran.out.contains("1 rejected"), "{}", ran.out);
    assert!(ran.out.contains("nothing was stored or sent"), "{}", ran.out);
    place.run(&["plan", "workers.csv", "--source", "hr", "--json"]).expect(3);
    place.run(&["plan", "workers.csv", "--source", "hr", "--diff"]).expect(3);
    assert_eq!(place.names(), ["scimport.toml", "workers.csv"]);
}

#[test]
fn an_existing_ledger_is_read_and_not_changed() {
    let stage = Stage::quick();
    stage.apply(GOOD, &["--wait", "outcome"]).expect(0);
    let bytes = std::fs::read(stage.place.path("scimport.db")).unwrap();
    let runs = stage.run(&["runs", "--json"]).expect(0).out;
    let calls = stage.ask("stats")["calls"].clone();
    stage.place.write("next.csv", GOOD.replace("Ben,Clerk", "Ben,Director"));
    // without the secret
    let plan = stage.place.run(&["plan", "next.csv", "--source", "hr", "--json"]).expect(0);
    let document = plan.json();
    assert_eq!(counted(&document), of(&[("unchanged", 2), ("queued", 1)]));
    assert_eq!(document["changes"]["mover"], 1);
    stage.place.write("broken.csv", "WorkerID\n");
    stage.place.run(&["plan", "broken.csv", "--source", "hr", "--json"]).expect(1);
    assert_eq!(stage.run(&["runs", "--json"]).expect(0).out, runs, "no run, also for a refusal");
    assert_eq!(stage.ask("stats")["calls"], calls);
    assert_eq!(std::fs::read(stage.place.path("scimport.db")).unwrap(), bytes);
    // what was planned is still new to `apply`
    let applied = stage.run(&["apply", "next.csv", "--source", "hr", "--json"]).expect(0).json();
    assert_eq!(applied["changes"]["mover"], 1);
}

#[test]
fn a_difference_names_attributes_and_hides_values_where_nobody_watches() {
    let stage = Stage::quick();
    stage.apply(GOOD, &["--wait", "outcome"]).expect(0);
    let next = GOOD
        .replace("Ben,Clerk", "Ben,Director")
        .replace("E1,e1@contoso.example,Active", "E1,e1@contoso.example,Inactive");
    stage.place.write("next.csv", next);
    let hidden = stage.run(&["plan", "next.csv", "--source", "hr", "--diff"]).expect(0).out;
    for words in ["E1 leaver", "active: ", "E2 mover", "title: (hidden) → (hidden)"] {
        assert!(hidden.contains(words), "{words} in {hidden}");
    }
    assert!(!hidden.contains("E3 "), "unchanged: {hidden}");
    for value in ["Director", "Clerk", "false"] {
        assert!(!hidden.contains(value), "{hidden}");
    }
    let shown = stage.run(&["plan", "next.csv", "--source", "hr", "--diff", "--show-values"]);
    let shown = shown.expect(0).out;
    assert!(shown.contains("Clerk") && shown.contains("Director"), "{shown}");
    assert!(shown.contains("false"), "{shown}");
}

#[test]
fn a_joiner_stands_in_the_difference_as_well() {
    let place = offline(SOURCE, GOOD);
    let out = place.run(&["plan", "workers.csv", "--source", "hr", "--diff"]).expect(0).out;
    for id in ["E1 joiner", "E2 joiner", "E3 joiner"] {
        assert!(out.contains(id), "{out}");
    }
    assert!(!out.contains("contoso.example"), "{out}");
}
