//! A table that differs from its directory must not pass.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::directory::{Tap, faults};

fn taps() -> BTreeMap<String, Tap> {
    let taps = [("tap1", "HOSTNAME=a", true), ("tap2", "HOSTNAME=b", false), ("tap3", "# bad\nHOSTNAME=c", true)];
    taps.map(|(name, text, is_there)| (name.to_owned(), Tap::new(text, is_there))).into()
}

fn shown() -> Value {
    let binding = |hostname| json!({ "hostname": hostname, "settings": { "dhcp.lease_lifetime": "60" } });
    json!({ "taps": [
        { "tap": "tap1", "state": "serving", "rejected": null, "binding": binding("a") },
        { "tap": "tap2", "state": "pending", "rejected": null, "binding": binding("b") },
        { "tap": "tap3", "state": "rejected", "rejected": "why", "binding": null },
    ] })
}

#[test]
fn what_is_shown_as_it_is_passes() {
    assert_eq!(faults(&taps(), &shown(), 60), [""; 0]);
    let mut shown = shown();
    shown["taps"][2]["state"] = "serving".into();
    shown["taps"][2]["binding"] = shown["taps"][0]["binding"].clone();
    assert_eq!(faults(&taps(), &shown, 60), [""; 0], "the last good one");
}

#[test]
fn what_differs_does_not() {
    let cases: &[(&str, Value, &str)] = &[
        ("/taps/0/state", "pending".into(), "tap1 is Tap"),
        ("/taps/0/binding/hostname", "old".into(), "tap1 is Tap"),
        ("/taps/0/rejected", "why".into(), "tap1 is Tap"),
        ("/taps/0/binding/settings/dhcp.lease_lifetime", "61".into(), "tap1 has leases of \"61\" s"),
        ("/taps/1/state", "serving".into(), "tap2 is Tap"),
        ("/taps/2/rejected", Value::Null, "tap3 is Tap"),
        ("/taps/2/state", "pending".into(), "tap3 is Tap"),
    ];
    for (path, value, expected) in cases {
        let mut shown = shown();
        *shown.pointer_mut(path).unwrap() = value.clone();
        let faults = faults(&taps(), &shown, 60);
        assert!(faults.len() == 1 && faults[0].starts_with(expected), "{path}: {faults:?}");
    }
}

#[test]
fn taps_that_only_one_side_knows_do_not() {
    let mut shown = shown();
    shown["taps"][1]["tap"] = "tap9".into();
    let expected = ["tap2 has a file, and the daemon does not know it", "tap9 has no file, and the daemon knows it"];
    assert_eq!(faults(&taps(), &shown, 60), expected);
}

#[test]
fn nothing_shown_does_not() {
    assert_eq!(faults(&taps(), &json!({}), 60).len(), 3);
}
