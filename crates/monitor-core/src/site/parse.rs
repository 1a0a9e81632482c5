//! From JSON to a validated site.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value};
use strum::VariantArray;

use super::fields::Fields;
use super::{
    FieldProblem, HeaderRule, HttpVersion, IpFamily, JsonQuery, Pattern, SecretText, SiteConfig,
    SiteUrl, StatusRule,
};
use crate::region::Region;

const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_CERT_EXPIRY_WARNING: Duration = Duration::from_hours(14 * 24);
const DEFAULT_BODY_LIMIT: u64 = 1024 * 1024;
const DEFAULT_REDIRECTS: u8 = 10;

const MIN_INTERVAL: Duration = Duration::from_secs(1);
const MAX_INTERVAL: Duration = Duration::from_hours(24);
const MAX_TIMEOUT: Duration = Duration::from_mins(10);
const MAX_BODY_LIMIT: u64 = 16 * 1024 * 1024;
const MAX_REDIRECTS: u8 = 20;
const MAX_RETRIES: u8 = 5;
const MAX_NAME: usize = 200;
const MAX_BODY: usize = 64 * 1024;

/// Headers that the HTTP client itself must set: a second one would contradict it.
const OWN_HEADERS: [HeaderName; 5] = [
    http::header::CONTENT_LENGTH,
    http::header::TRANSFER_ENCODING,
    http::header::CONNECTION,
    http::header::UPGRADE,
    http::header::TE,
];

impl SiteConfig {
    /// Reads a site from its JSON form, as in the site file and the API. Absent fields take their
    /// defaults; the error lists every problem.
    pub fn from_json(json: &Map<String, Value>) -> Result<Self, Vec<FieldProblem>> {
        let mut fields = Fields::new(json);
        let site = read(&mut fields);
        match (site, fields.into_problems()) {
            (Some(site), problems) if problems.is_empty() => Ok(site),
            (_, problems) => Err(problems),
        }
    }
}

fn read(fields: &mut Fields<'_>) -> Option<SiteConfig> {
    let url: Option<SiteUrl> = fields.optional("url", text);
    if url.is_none() && !fields.is_set("url") {
        fields.problem("url", "missing");
    }
    let given_name = fields.optional("name", name);
    let (interval, timeout) = cadence(fields);
    let site = SiteConfig {
        method: fields.or("method", Method::GET, method),
        headers: fields.or("headers", HeaderMap::new(), headers),
        body: fields.optional("body", body),
        interval,
        timeout,
        expect_status: fields.or("expect_status", StatusRule::default(), status_rule),
        content_regex: fields.optional("content_regex", pattern),
        content_regex_absent: fields.optional("content_regex_absent", pattern),
        expect_headers: fields.or("expect_headers", Vec::new(), header_rules),
        expect_json: fields.or("expect_json", Vec::new(), json_queries),
        max_response_time: fields.optional("max_response_time", duration),
        redirects: fields.or("redirects", DEFAULT_REDIRECTS, |v| {
            at_most(v, MAX_REDIRECTS)
        }),
        ip_family: fields.or("ip_family", IpFamily::Any, choice),
        http_version: fields.or("http_version", HttpVersion::Auto, choice),
        tls_verify: fields.or("tls_verify", true, boolean),
        tls_ca: fields.optional("tls_ca", |v| pem(v, &["CERTIFICATE"])),
        tls_client_cert: fields
            .optional("tls_client_cert", |v| {
                pem(v, &["CERTIFICATE", "PRIVATE KEY"])
            })
            .map(SecretText::new),
        cert_expiry_warning: fields.or(
            "cert_expiry_warning",
            DEFAULT_CERT_EXPIRY_WARNING,
            duration,
        ),
        body_limit: fields.or("body_limit", DEFAULT_BODY_LIMIT, body_limit),
        retries: fields.or("retries", 0, |v| at_most(v, MAX_RETRIES)),
        regions: fields.or("regions", Vec::new(), |v| list(v, text::<Region>)),
        enabled: fields.or("enabled", true, boolean),
        tags: fields.or("tags", Vec::new(), |v| list(v, tag)),
        // Last, because a missing URL must not hide the problems of the other fields.
        name: given_name.or_else(|| url.as_ref().map(|url| url.host().to_owned()))?,
        url: url?,
    };
    Some(site)
}

/// Interval and timeout, which bound each other: without an explicit timeout, a short interval
/// shortens the default one.
fn cadence(fields: &mut Fields<'_>) -> (Duration, Duration) {
    let interval = fields.or("interval", DEFAULT_INTERVAL, duration);
    if !(MIN_INTERVAL..=MAX_INTERVAL).contains(&interval) {
        fields.problem("interval", "must be between 1s and 24h");
    }
    let timeout = fields.or("timeout", DEFAULT_TIMEOUT.min(interval), duration);
    if timeout.is_zero() || timeout > MAX_TIMEOUT {
        fields.problem("timeout", "must be above 0s and at most 10m");
    } else if timeout > interval {
        let shown = humantime::format_duration(interval);
        fields.problem("timeout", format!("must not exceed the interval ({shown})"));
    }
    (interval, timeout)
}

fn string(value: &Value) -> Result<&str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("expected text, found {}", shape(value)))
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn text<T: FromStr<Err: Display>>(value: &Value) -> Result<T, String> {
    string(value)?
        .parse()
        .map_err(|error: T::Err| error.to_string())
}

fn choice<T>(value: &Value) -> Result<T, String>
where
    T: FromStr + VariantArray + Display,
{
    // `http_version: 2` and `1.1` are numbers in YAML.
    let written = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    written.parse().map_err(|_| {
        let choices: Vec<_> = T::VARIANTS.iter().map(ToString::to_string).collect();
        format!("{written:?} is not one of {}", choices.join(", "))
    })
}

fn name(value: &Value) -> Result<String, String> {
    let name = string(value)?.trim();
    if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
        return Err(format!(
            "must have 1 to {MAX_NAME} bytes and no control characters"
        ));
    }
    Ok(name.to_owned())
}

fn tag(value: &Value) -> Result<String, String> {
    name(value)
}

fn method(value: &Value) -> Result<Method, String> {
    let written = string(value)?.to_ascii_uppercase();
    match written.as_str() {
        "CONNECT" | "TRACE" => Err(format!("{written} cannot be checked")),
        _ => written
            .parse()
            .map_err(|_| format!("{written:?} is not a request method")),
    }
}

fn mapping(value: &Value) -> Result<&Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("expected a mapping, found {}", shape(value)))
}

fn header_name(written: &str) -> Result<HeaderName, String> {
    written
        .parse()
        .map_err(|_| format!("{written:?} is not a header name"))
}

fn headers(value: &Value) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (written, value) in mapping(value)? {
        let name = header_name(written)?;
        if OWN_HEADERS.contains(&name) {
            return Err(format!("{name} is set by the checker itself"));
        }
        let mut value = HeaderValue::from_str(string(value)?)
            .map_err(|_| format!("the value of {name} has characters that no header may have"))?;
        value.set_sensitive(true);
        if headers.insert(name.clone(), value).is_some() {
            return Err(format!("{name} is given twice"));
        }
    }
    Ok(headers)
}

fn header_rules(value: &Value) -> Result<Vec<HeaderRule>, String> {
    let rule = |(written, value): (&String, &Value)| {
        let name = header_name(written)?;
        let pattern = pattern(value).map_err(|error| format!("{name}: {error}"))?;
        Ok(HeaderRule { name, pattern })
    };
    mapping(value)?.iter().map(rule).collect()
}

fn body(value: &Value) -> Result<SecretText, String> {
    let body = string(value)?;
    if body.len() > MAX_BODY {
        return Err(format!(
            "the body has {} bytes, more than {MAX_BODY}",
            body.len()
        ));
    }
    if body.contains('\0') {
        return Err("the body contains a NUL character".to_owned());
    }
    Ok(SecretText::new(body.to_owned()))
}

fn duration(value: &Value) -> Result<Duration, String> {
    let Some(written) = value.as_str() else {
        return Err(format!(
            "expected a duration with its unit, such as 30s, found {value}"
        ));
    };
    let duration = humantime::parse_duration(written)
        .map_err(|error| format!("{written:?} is not a duration such as 30s or 5m: {error}"))?;
    if !duration.subsec_nanos().is_multiple_of(1_000_000) {
        return Err(format!("{written:?} is finer than a millisecond"));
    }
    Ok(duration)
}

fn status_rule(value: &Value) -> Result<StatusRule, String> {
    let item = |value: &Value| match value {
        Value::Number(number) => Ok(number.to_string()),
        other => string(other).map(str::to_owned),
    };
    let items = match value {
        Value::Array(items) => items.iter().map(item).collect::<Result<Vec<_>, _>>()?,
        single => vec![item(single)?],
    };
    items.join(",").parse()
}

fn pattern(value: &Value) -> Result<Pattern, String> {
    Pattern::new(string(value)?)
}

fn json_queries(value: &Value) -> Result<Vec<JsonQuery>, String> {
    list(value, |item| JsonQuery::new(string(item)?))
}

fn list<T>(value: &Value, parse: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    let items = value
        .as_array()
        .ok_or_else(|| format!("expected a list, found {}", shape(value)))?;
    items.iter().map(parse).collect()
}

fn boolean(value: &Value) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| format!("expected true or false, found {}", shape(value)))
}

fn at_most(value: &Value, most: u8) -> Result<u8, String> {
    let number = value.as_u64().and_then(|number| u8::try_from(number).ok());
    let in_range = number.filter(|number| *number <= most);
    in_range.ok_or_else(|| format!("expected a whole number from 0 to {most}, found {value}"))
}

fn body_limit(value: &Value) -> Result<u64, String> {
    let bytes = match value {
        Value::Number(number) => number.as_u64(),
        other => string(other)?
            .parse::<ByteSize>()
            .ok()
            .map(|size| size.as_u64()),
    };
    let in_range = bytes.filter(|bytes| (1..=MAX_BODY_LIMIT).contains(bytes));
    in_range.ok_or_else(|| format!("expected a size from 1B to 16MiB, found {value}"))
}

fn pem(value: &Value, needed: &[&str]) -> Result<String, String> {
    let written = string(value)?;
    for label in needed {
        let begins = written.lines().any(|line| {
            line.starts_with("-----BEGIN ") && line.trim_end().ends_with(&format!("{label}-----"))
        });
        if !begins {
            return Err(format!("expected PEM text with a {label} block"));
        }
    }
    Ok(written.to_owned())
}
