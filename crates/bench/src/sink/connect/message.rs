//! An event as Kafka Connect's JSON: its columns, and in each message what they are.

use anyhow::Result;
use monitor_core::CheckEvent;
use serde_json::{Value, json};

/// The columns and their types; those of the table behind `checks`, as far as types go that
/// Kafka Connect has.
const FIELDS: [(&str, &str); 18] = [
    ("site_id", "int64"),
    ("region", "string"),
    ("scheduled_at", TIMESTAMP),
    ("started_at", TIMESTAMP),
    ("outcome", "string"),
    ("failure_kind", "string"),
    ("failure_phase", "string"),
    ("failure_detail", "string"),
    ("content", "string"),
    ("dns_us", "int32"),
    ("connect_us", "int32"),
    ("tls_us", "int32"),
    ("first_byte_us", "int32"),
    ("transfer_us", "int32"),
    ("total_us", "int32"),
    ("status_code", "int32"),
    ("attempts", "int32"),
    ("checker", "string"),
];
const TIMESTAMP: &str = "timestamp";
/// The columns that always have a value.
const KEY: [&str; 3] = ["site_id", "region", "scheduled_at"];

/// The bytes of a message.
pub(super) fn message(event: &CheckEvent) -> Result<Vec<u8>> {
    let message = json!({ "schema": schema(), "payload": payload(event) });
    Ok(serde_json::to_vec(&message)?)
}

fn schema() -> Value {
    let fields = FIELDS.map(|(name, kind)| {
        let optional = !KEY.contains(&name);
        if kind == TIMESTAMP {
            let name_of_type = "org.apache.kafka.connect.data.Timestamp";
            json!({ "field": name, "type": "int64", "optional": optional, "name": name_of_type, "version": 1 })
        } else {
            json!({ "field": name, "type": kind, "optional": optional })
        }
    });
    json!({ "type": "struct", "optional": false, "name": "check", "fields": fields })
}

fn payload(event: &CheckEvent) -> Value {
    let (failure, timings) = (event.failure.as_ref(), &event.timings_us);
    json!({
        "site_id": event.site_id,
        "region": event.region,
        "scheduled_at": event.scheduled_at.timestamp_millis(),
        "started_at": event.started_at.map(|at| at.timestamp_millis()),
        "outcome": event.outcome,
        "failure_kind": failure.map(|failure| failure.kind),
        "failure_phase": failure.and_then(|failure| failure.phase),
        "failure_detail": failure.map(|failure| &failure.detail),
        "content": event.content,
        "dns_us": timings.dns,
        "connect_us": timings.connect,
        "tls_us": timings.tls,
        "first_byte_us": timings.first_byte,
        "transfer_us": timings.transfer,
        "total_us": timings.total,
        "status_code": event.status_code,
        "attempts": event.attempts,
        "checker": event.checker,
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::super::Workload;
    use super::*;

    #[test]
    fn a_payload_has_exactly_the_fields_of_the_schema() {
        let workload = Workload {
            region: "bench".parse().unwrap(),
            sites: 10,
            first: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            gap: TimeDelta::seconds(1),
            count: 1,
        };
        let bytes = message(&workload.event(0)).unwrap();
        let message: Value = serde_json::from_slice(&bytes).unwrap();
        let fields = message["schema"]["fields"].as_array().unwrap();
        let mut named: Vec<_> = fields.iter().map(|field| &field["field"]).collect();
        named.sort_by_key(ToString::to_string);
        let payload = message["payload"].as_object().unwrap();
        let mut present: Vec<_> = payload.keys().map(|name| json!(name)).collect();
        present.sort_by_key(ToString::to_string);
        assert_eq!(named, present.iter().collect::<Vec<_>>());
    }
}
