//! Sites: what is accepted, what is refused and how it is named, and the way there and back.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its own input has failed"
)]

use std::time::Duration;

use monitor_core::SiteConfig;
use monitor_core::site::{FIELDS, HttpVersion, IpFamily};
use serde_json::{Map, Value, json};

fn read(json: &Value) -> Result<SiteConfig, Vec<String>> {
    let object = json.as_object().unwrap();
    SiteConfig::from_json(object)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn full() -> Value {
    json!({
        "name": "Shop", "url": "https://shop.example.com/health?key=abc", "method": "post",
        "headers": {"Authorization": "Bearer s3cret"}, "body": "{\"ping\": true}",
        "interval": "30s", "timeout": "2s 500ms", "expect_status": [200, "300-399"],
        "content_regex": "(?i)ok", "content_regex_absent": "error",
        "expect_headers": {"content-type": "^application/json"}, "expect_json": ["$.status"],
        "max_response_time": "800ms", "redirects": 0, "ip_family": "v6", "http_version": 2,
        "tls_verify": false, "tls_ca": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
        "tls_client_cert": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\nQkI=\n-----END EC PRIVATE KEY-----\n",
        "cert_expiry_warning": "7days", "body_limit": "64KiB", "retries": 2,
        "regions": ["eu-north-1"], "enabled": false, "tags": ["shop", "prod"],
    })
}

#[test]
fn a_url_is_enough() {
    let site = read(&json!({"url": "https://example.com/"})).unwrap();
    assert_eq!(site.name, "example.com");
    assert_eq!(
        (site.interval, site.timeout),
        (Duration::from_mins(1), Duration::from_secs(10))
    );
    assert!(site.expect_status.accepts(204) && !site.expect_status.accepts(301));
    assert_eq!(
        (site.redirects, site.retries, site.body_limit),
        (10, 0, 1 << 20)
    );
    assert!(site.tls_verify && site.enabled && site.is_checked_from(&"local".parse().unwrap()));
}

#[test]
fn every_field_is_read_and_survives_the_way_there_and_back() {
    let site = read(&full()).unwrap();
    assert_eq!(
        (site.ip_family, site.http_version),
        (IpFamily::V6, HttpVersion::Http2)
    );
    assert_eq!(site.body_limit, 65_536);
    assert_eq!(site.method, "POST");
    let json = site.to_json();
    assert_eq!(json.len(), FIELDS.len());
    assert!(json.values().all(|value| !value.is_null()), "{json:?}");
    assert_eq!(SiteConfig::from_json(&json).unwrap(), site);
}

#[test]
fn defaults_survive_the_way_there_and_back() {
    let site = read(&json!({"url": "http://[::1]:8080/"})).unwrap();
    assert_eq!(SiteConfig::from_json(&site.to_json()).unwrap(), site);
}

#[test]
fn a_short_interval_shortens_the_default_timeout() {
    let site = read(&json!({"url": "http://h/", "interval": "2s"})).unwrap();
    assert_eq!(site.timeout, Duration::from_secs(2));
}

#[test]
fn debug_output_holds_no_secret() {
    let shown = format!("{:?}", read(&full()).unwrap());
    for secret in ["s3cret", "ping", "QkI=", "abc"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// Each value of its field is refused, with words that name what is wrong.
fn refused(cases: &[(&str, Value, &str)]) {
    for (field, value, named) in cases {
        let mut site = json!({"url": "http://h/"});
        site[*field] = value.clone();
        let problems = read(&site).unwrap_err();
        let found = problems
            .iter()
            .any(|p| p.starts_with(field) && p.contains(named));
        assert!(found, "{field}: {value}: {problems:?}");
    }
}

#[test]
fn bad_requests_are_refused() {
    refused(&[
        ("url", json!("example.com"), "not a URL"),
        ("url", json!(7), "expected text, found a number"),
        ("name", json!(""), "1 to 200"),
        ("method", json!("GE T"), "not a request method"),
        ("method", json!("CONNECT"), "cannot be checked"),
        ("headers", json!({"bad name": "x"}), "not a header name"),
        ("headers", json!({"x": "a\nb"}), "the value of x"),
        (
            "headers",
            json!({"Content-Length": "3"}),
            "set by the checker",
        ),
        ("headers", json!(["x"]), "expected a mapping"),
        ("body", json!("\0"), "NUL"),
    ]);
}

#[test]
fn bad_times_and_rules_are_refused() {
    refused(&[
        ("interval", json!("500ms"), "between 1s and 24h"),
        ("interval", json!(60), "with its unit"),
        ("interval", json!("soon"), "not a duration"),
        ("timeout", json!("2m"), "must not exceed the interval (1m)"),
        ("timeout", json!("0s"), "above 0s"),
        ("timeout", json!("1us"), "finer than a millisecond"),
        ("expect_status", json!("2xx"), "status code"),
        ("expect_status", json!([]), "status code"),
        (
            "content_regex",
            json!("(unclosed"),
            "not a regular expression: unclosed group",
        ),
        (
            "content_regex",
            json!("(?:\\w{50}){50}"),
            "not a regular expression",
        ),
        (
            "content_regex_absent",
            json!("x".repeat(2000)),
            "more than 1024",
        ),
        (
            "expect_headers",
            json!({"x": "["}),
            "x: not a regular expression",
        ),
        ("expect_json", json!(["status"]), "not a JSONPath query"),
        ("max_response_time", json!("fast"), "not a duration"),
    ]);
}

#[test]
fn bad_limits_and_choices_are_refused() {
    refused(&[
        ("redirects", json!(21), "from 0 to 20"),
        ("redirects", json!(-1), "from 0 to 20"),
        ("ip_family", json!("v5"), "not one of any, v4, v6"),
        ("http_version", json!(3), "not one of auto, 1.1, 2"),
        ("tls_verify", json!("no"), "true or false"),
        ("tls_ca", json!("hello"), "CERTIFICATE"),
        (
            "tls_client_cert",
            json!("-----BEGIN CERTIFICATE-----"),
            "PRIVATE KEY",
        ),
        ("body_limit", json!("1GiB"), "from 1B to 16MiB"),
        ("retries", json!(1.5), "from 0 to 5"),
        ("regions", json!(["EU"]), "not a region name"),
        ("tags", json!("prod"), "expected a list"),
        ("intervall", json!("30s"), "did you mean \"interval\"?"),
        ("zzz", json!(1), "the fields are name, url"),
    ]);
}

#[test]
fn all_problems_are_reported_at_once() {
    let site = json!({"method": "(", "interval": "1", "redirects": 99, "tipo": 1});
    let problems = read(&site).unwrap_err();
    for field in ["url: missing", "method", "interval", "redirects", "tipo"] {
        assert!(
            problems.iter().any(|p| p.starts_with(field)),
            "{field}: {problems:?}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_value_makes_the_reader_panic(index in 0..FIELDS.len(), text in ".*", number: i64) {
        for value in [json!(text), json!(number), json!([text]), json!({&text: text}), json!(null)] {
            let mut site = Map::new();
            site.insert("url".to_owned(), json!("http://h/"));
            site.insert(FIELDS[index].to_owned(), value);
            if let Ok(read) = SiteConfig::from_json(&site) {
                proptest::prop_assert_eq!(SiteConfig::from_json(&read.to_json()).unwrap(), read);
            }
        }
    }
}
