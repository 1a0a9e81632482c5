//! A site, as it is documented. Reading and validating is for `SiteConfig` alone.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;

/// What to check, how, how often, and what to expect: the fields of a site file.
///
/// Durations have a unit: `500ms`, `30s`, `5m`, `14d`. Regular expressions are those of Rust's `regex`:
/// linear in time, without look-around.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Site", deny_unknown_fields)]
pub(crate) struct SiteDocument {
    /// Unique, for people; the host of the URL when left out.
    name: Option<String>,
    /// Where the request goes; credentials belong into `headers`.
    #[schemars(regex(pattern = r"^https?://[^\s/@]+"))]
    url: String,
    /// Request method; GET when left out.
    method: Option<String>,
    /// Request headers, name to value.
    headers: Option<BTreeMap<String, String>>,
    /// Request body.
    body: Option<String>,
    /// Time between two checks, 1s to 24h; 60s when left out.
    interval: Option<String>,
    /// Deadline of a whole check, at most the interval; 10s when left out.
    timeout: Option<String>,
    #[serde(default)]
    #[schemars(schema_with = "status_rule")]
    expect_status: Option<Value>,
    /// Must match the body.
    content_regex: Option<String>,
    /// Must not match the body.
    content_regex_absent: Option<String>,
    /// Response headers, name to a regular expression that one of its values must match.
    expect_headers: Option<BTreeMap<String, String>>,
    /// JSONPath queries (RFC 9535) that must each select something.
    expect_json: Option<Vec<String>>,
    /// A slower answer is degraded: available, but shown.
    max_response_time: Option<String>,
    /// How many redirects are followed; 10 when left out, 0 judges the redirect itself.
    redirects: Option<u8>,
    /// Which addresses to connect to; any when left out.
    #[schemars(extend("enum" = ["any", "v4", "v6", null]))]
    ip_family: Option<String>,
    /// Which HTTP version to speak; auto when left out.
    #[schemars(extend("enum" = ["auto", "1.1", "2", null]))]
    http_version: Option<String>,
    /// Whether a certificate that is not trusted is a failure; true when left out.
    tls_verify: Option<bool>,
    /// Authorities to trust instead of the system's, in PEM.
    tls_ca: Option<String>,
    /// Client certificate and its key, in PEM.
    tls_client_cert: Option<String>,
    /// A certificate that ends sooner is degraded; 14d when left out.
    cert_expiry_warning: Option<String>,
    #[serde(default)]
    #[schemars(schema_with = "body_limit")]
    body_limit: Option<Value>,
    /// Immediate further attempts before a slot is down, at most 5; 0 when left out.
    retries: Option<u8>,
    /// The regions that check it; all when empty or left out.
    regions: Option<Vec<String>>,
    /// Whether it is checked at all; true when left out.
    enabled: Option<bool>,
    /// For grouping.
    tags: Option<Vec<String>>,
}

fn status_rule(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Accepted status codes and ranges: `204`, `200-299,304`, or a list of such; `200-299` when left out.",
        "anyOf": [
            {"type": ["string", "integer", "null"]},
            {"type": "array", "items": {"type": ["string", "integer"]}},
        ],
    })
}

fn body_limit(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Decoded bytes of the body that are read, a number or `64KiB`, at most 16MiB; 1MiB when left out.",
        "type": ["string", "integer", "null"],
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use monitor_core::site::FIELDS;

    use super::*;

    #[test]
    fn every_field_of_a_site_is_documented_and_no_other() {
        let schema = schemars::schema_for!(SiteDocument);
        let properties = schema
            .get("properties")
            .and_then(|value| value.as_object())
            .unwrap();
        let documented: BTreeSet<_> = properties.keys().map(String::as_str).collect();
        assert_eq!(documented, FIELDS.iter().copied().collect());
    }
}
