//! The wire contract: golden events stay readable, the schema matches the types, nonsense is told
//! apart.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its own files has failed"
)]

use std::path::{Path, PathBuf};

use monitor_core::event::{DecodeError, KeptEvent, json_schema};
use monitor_core::{CheckEvent, Outcome};
use proptest::prelude::*;
use serde_json::{Value, json};

fn crate_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn golden_events() -> Vec<(PathBuf, Value)> {
    let files = std::fs::read_dir(crate_file("tests/golden")).unwrap();
    let events: Vec<_> = files
        .map(|file| file.unwrap().path())
        .map(|path| (path.clone(), json_file(&path)))
        .collect();
    assert!(events.len() >= 4, "golden events are missing");
    events
}

fn decode(event: &Value) -> Result<CheckEvent, DecodeError> {
    CheckEvent::decode(event.to_string().as_bytes())
}

#[test]
fn golden_events_are_read_and_written_back_unchanged() {
    for (path, golden) in golden_events() {
        let event = decode(&golden).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let written: Value = serde_json::from_slice(&event.encode().unwrap()).unwrap();
        assert_eq!(written, golden, "{}", path.display());
    }
}

/// What is kept agrees with the whole: both are refused alike, or one is a part of the other.
fn assert_kept_alike(json: &[u8]) {
    let (kept, whole) = match (KeptEvent::decode(json), CheckEvent::decode(json)) {
        (Ok(kept), Ok(whole)) => (kept, whole),
        (kept, whole) => {
            let verdict = |error: DecodeError| (error.reason(), error.to_string());
            let (kept, whole) = (kept.map_err(verdict), whole.map_err(verdict));
            assert_eq!(kept.map(drop), whole.map(drop));
            return;
        }
    };
    let evidence = kept.evidence.as_ref().map(|each| json!(each));
    let tells = whole.outcome != Outcome::Up && (whole.http.is_some() || whole.tls.is_some());
    let expected = tells.then(|| json!({ "http": whole.http, "tls": whole.tls }));
    assert_eq!(evidence, expected);
    let failure = kept.failure.as_ref().map(|each| json!(each));
    assert_eq!(failure, whole.failure.as_ref().map(|each| json!(each)));
    let not_after = whole.tls.as_ref().and_then(|tls| tls.not_after);
    assert_eq!(kept.cert_not_after, not_after);
    assert_eq!(kept.region.as_str(), whole.region.as_str());
    assert_eq!(*kept.checker, *whole.checker);
    assert_eq!((kept.id, kept.site_id), (whole.id, whole.site_id));
    assert_eq!(kept.scheduled_at, whole.scheduled_at);
    assert_eq!(kept.started_at, whole.started_at);
    assert_eq!((kept.outcome, kept.content), (whole.outcome, whole.content));
    assert_eq!(
        (kept.warnings, kept.suspect),
        (whole.warnings, whole.suspect)
    );
    assert_eq!(kept.status_code, whole.status_code);
    assert_eq!(
        (kept.timings_us, kept.attempts),
        (whole.timings_us, whole.attempts)
    );
}

#[test]
fn what_is_kept_of_golden_events_is_theirs() {
    for (_, golden) in golden_events() {
        assert_kept_alike(golden.to_string().as_bytes());
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused_only_where_they_matter() {
    let (_, golden) = golden_events().remove(0);
    let json = golden.to_string().replacen('{', r#"{"unknown":"~","#, 1);
    let broken = |place: &str, by: &[u8]| {
        let at = json.find(place).unwrap();
        let mut bytes = json.clone().into_bytes();
        bytes.splice(at..=at, by.iter().copied());
        bytes
    };
    let unknown = broken("~", b"\xff");
    assert!(CheckEvent::decode(&unknown).is_ok());
    assert_kept_alike(&unknown);
    let known = broken("checker-", b"\xff");
    assert!(CheckEvent::decode(&known).is_err());
    assert_kept_alike(&known);
}

#[test]
fn golden_events_satisfy_the_committed_schema() {
    let schema = json_file(&crate_file("schema/monitor.check.v1.json"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (path, golden) in golden_events() {
        assert!(validator.is_valid(&golden), "{}", path.display());
    }
    assert!(!validator.is_valid(&json!({"schema": "monitor.check.v1"})));
}

#[test]
fn the_committed_schema_is_the_one_of_the_types() {
    let committed = json_file(&crate_file("schema/monitor.check.v1.json"));
    assert_eq!(
        committed,
        json_schema().to_value(),
        "write it anew with: cargo run -p monitor-core --example schema \
         > crates/monitor-core/schema/monitor.check.v1.json"
    );
}

#[test]
fn fields_that_a_reader_does_not_know_are_ignored() {
    let (_, mut event) = golden_events().remove(0);
    event["added_in_a_later_version"] = json!({"anything": [1, 2]});
    decode(&event).unwrap();
}

/// A golden event with one value replaced by a wrong one.
fn with(pointer: &str, value: Value) -> Value {
    let mut event = json_file(&crate_file("tests/golden/up_with_everything.json"));
    *event.pointer_mut(pointer).unwrap() = value;
    event
}

#[test]
fn impossible_values_are_named() {
    for (pointer, value, named) in [
        ("/site_id", json!(0), "site_id is 0"),
        (
            "/id",
            json!("00000000-0000-0000-0000-000000000000"),
            "id is",
        ),
        ("/site_id", json!(43), "id is"),
        ("/region", json!("eu-west-1"), "id is"),
        (
            "/scheduled_at",
            json!("2026-01-05T10:00:07.0005Z"),
            "whole milliseconds",
        ),
        ("/started_at", json!("9999-01-01T00:00:00Z"), "started_at"),
        ("/started_at", json!(null), "started_at None"),
        ("/outcome", json!("down"), "outcome down"),
        ("/outcome", json!("degraded"), "outcome degraded"),
        ("/status_code", json!(42), "status_code is 42"),
        ("/attempts", json!(40_000), "attempts"),
        ("/timings_us/total", json!(4_000_000_000_u32), "µs"),
        ("/checker", json!("a\0b"), "NUL"),
        ("/checker", json!("x".repeat(300)), "300 bytes"),
        ("/tls/subject", json!("x\0"), "tls.subject"),
        ("/http/final_url", json!("x".repeat(5000)), "http.final_url"),
    ] {
        let error = decode(&with(pointer, value)).unwrap_err();
        assert!(
            matches!(error, DecodeError::Impossible(_)),
            "{pointer}: {error}"
        );
        assert!(error.to_string().contains(named), "{pointer}: {error}");
    }
}

#[test]
fn wrong_types_are_malformed() {
    for (pointer, value) in [
        ("/site_id", json!("42")),
        ("/status_code", json!(1e300)),
        ("/outcome", json!("sideways")),
        ("/region", json!("NOT A REGION")),
        ("/scheduled_at", json!("yesterday")),
        ("/timings_us/dns", json!(-1)),
        ("/attempts", json!(1.5)),
    ] {
        let error = decode(&with(pointer, value)).unwrap_err();
        assert!(
            matches!(error, DecodeError::Malformed(_)),
            "{pointer}: {error}"
        );
    }
}

#[test]
fn other_messages_are_told_apart() {
    let reason = |bytes: &[u8]| CheckEvent::decode(bytes).unwrap_err().reason();
    assert_eq!(reason(b""), "not_json");
    assert_eq!(reason(b"\xff\xfe"), "not_json");
    assert_eq!(reason(br#"{"schema": "monitor.check.v1""#), "not_json");
    assert_eq!(reason(b"17"), "other_schema");
    assert_eq!(reason(b"[]"), "other_schema");
    assert_eq!(reason(br#"{"hello": "world"}"#), "other_schema");
    assert_eq!(
        reason(
            with("/schema", json!("monitor.check.v2"))
                .to_string()
                .as_bytes()
        ),
        "other_schema"
    );
    assert_eq!(reason(br#"{"schema": "monitor.check.v1"}"#), "malformed");
}

/// Every place of a value, as a JSON pointer.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| places(value, &format!("{here}/{name}"), found)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| places(value, &format!("{here}/{index}"), found)),
        _ => {}
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        // What some field or other takes.
        prop::sample::select(vec![
            "up",
            "down",
            "missed",
            "cert_expired",
            "tls",
            "matched"
        ])
        .prop_map(Value::from),
        "20[0-9]{2}-0[1-9]-[12][0-9]T1[0-9]:00:00(.[0-9]{1,9})?Z".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{1,10}", inner, 0..4)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
        assert_kept_alike(&bytes);
    }

    #[test]
    fn what_is_accepted_is_passed_on_unchanged(
        golden: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any_value()), 1..4),
    ) {
        let mut event = golden.get(&golden_events()).1.clone();
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&event, "", &mut all);
            let place: &String = place.get(&all);
            *event.pointer_mut(place).unwrap() = value;
        }
        assert_kept_alike(event.to_string().as_bytes());
        if let Ok(event) = decode(&event) {
            prop_assert_eq!(CheckEvent::decode(&event.encode().unwrap()).unwrap(), event);
        }
    }
}
