//! From bytes that anyone may have sent to an event that cannot be wrong.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{CheckEvent, SCHEMA, Timings};
use crate::failure::Outcome;
use crate::slot::check_id;

/// Longest `checker` name, in bytes.
const MAX_CHECKER: usize = 255;
/// Longest text of any other kind, in bytes.
const MAX_TEXT: usize = 4096;
/// Most redirects, and most certificates of a chain.
const MAX_LIST: usize = 32;
/// Largest duration, in microseconds: what PostgreSQL's `integer` holds, 35 minutes.
const MAX_MICROS: u32 = i32::MAX.unsigned_abs();

/// Why a message is not a check event.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are not JSON at all.
    #[error("not JSON: {0}")]
    NotJson(serde_json::Error),
    /// The message is of another kind, or of a version that this reader does not know.
    #[error("schema is {found:?}, expected {SCHEMA:?}")]
    OtherSchema {
        /// What its `schema` field says; `None` when it has none.
        found: Option<String>,
    },
    /// A field is missing or of the wrong type.
    #[error("not a {SCHEMA} event: {0}")]
    Malformed(serde_json::Error),
    /// A field has a value that no check can have.
    #[error("impossible value: {0}")]
    Impossible(String),
}

impl DecodeError {
    /// A short, stable name of the reason, for metrics and headers.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not_json",
            Self::OtherSchema { .. } => "other_schema",
            Self::Malformed(_) => "malformed",
            Self::Impossible(_) => "impossible_value",
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    schema: Option<String>,
}

/// What the texts of an event may be.
pub(super) trait EventText<'a>: AsRef<str> + Default + Deserialize<'a> {}

impl<'a, T: AsRef<str> + Default + Deserialize<'a>> EventText<'a> for T {}

pub(super) fn decode<'a, T: EventText<'a>>(json: &'a [u8]) -> Result<CheckEvent<T>, DecodeError> {
    // Strings that are known to be UTF-8 need not be checked one by one.
    let read = match str::from_utf8(json) {
        Ok(text) => serde_json::from_str::<CheckEvent<T>>(text),
        Err(_) => serde_json::from_slice(json),
    };
    match read {
        Ok(event) if event.schema.as_ref() == SCHEMA => {
            check_values(&event).map_err(DecodeError::Impossible)?;
            Ok(event)
        }
        Ok(event) => Err(DecodeError::OtherSchema {
            found: Some(event.schema.as_ref().to_owned()),
        }),
        Err(error) => Err(explain(json, error)),
    }
}

/// Tells apart, after the fact, what kind of message could not be read: the good path parses once.
fn explain(json: &[u8], error: serde_json::Error) -> DecodeError {
    if let Err(syntax) = serde_json::from_slice::<serde::de::IgnoredAny>(json) {
        return DecodeError::NotJson(syntax);
    }
    match serde_json::from_slice::<Envelope>(json) {
        Ok(Envelope {
            schema: Some(schema),
        }) if schema == SCHEMA => DecodeError::Malformed(error),
        Ok(Envelope { schema }) => DecodeError::OtherSchema { found: schema },
        Err(_) => DecodeError::OtherSchema { found: None },
    }
}

fn check_values<T: AsRef<str>>(event: &CheckEvent<T>) -> Result<(), String> {
    identity(event)?;
    instants(event)?;
    verdict(event)?;
    measurements(event)?;
    texts(event)?;
    lists(event)
}

fn identity<T: AsRef<str>>(event: &CheckEvent<T>) -> Result<(), String> {
    if event.site_id.0 <= 0 {
        return Err(format!("site_id is {}, it must be positive", event.site_id));
    }
    let expected = check_id(event.site_id, &event.region, event.scheduled_at);
    if event.id != expected {
        return Err(format!(
            "id is {}, its site, region and instant give {expected}",
            event.id
        ));
    }
    Ok(())
}

fn instants<T: AsRef<str>>(event: &CheckEvent<T>) -> Result<(), String> {
    let (earliest, latest) = (DateTime::UNIX_EPOCH, far_future());
    for (name, instant) in [
        ("scheduled_at", Some(event.scheduled_at)),
        ("started_at", event.started_at),
    ] {
        let Some(instant) = instant else { continue };
        if instant < earliest || instant > latest {
            return Err(format!("{name} is {instant}, outside 1970 to 2200"));
        }
    }
    if !event
        .scheduled_at
        .timestamp_subsec_nanos()
        .is_multiple_of(1_000_000)
    {
        return Err(format!(
            "scheduled_at is {}, not whole milliseconds",
            event.scheduled_at
        ));
    }
    Ok(())
}

/// 2200-01-01, beyond any plausible clock error.
fn far_future() -> DateTime<Utc> {
    DateTime::from_timestamp(7_258_118_400, 0).unwrap_or(DateTime::UNIX_EPOCH)
}

fn verdict<T: AsRef<str>>(event: &CheckEvent<T>) -> Result<(), String> {
    let from_failure = event.failure.as_ref().map(|f| f.kind.fault().outcome());
    let consistent = match event.outcome {
        Outcome::Up => from_failure.is_none() && event.warnings.is_empty(),
        Outcome::Degraded => from_failure.is_none() && !event.warnings.is_empty(),
        failed => from_failure == Some(failed),
    };
    if !consistent {
        let kind = event.failure.as_ref().map(|f| f.kind);
        let warnings = &event.warnings;
        return Err(format!(
            "outcome {} with failure kind {kind:?} and warnings {warnings:?}",
            event.outcome
        ));
    }
    if (event.outcome == Outcome::Missed) != event.started_at.is_none() {
        return Err(format!(
            "outcome {} with started_at {:?}",
            event.outcome, event.started_at
        ));
    }
    Ok(())
}

fn measurements<T: AsRef<str>>(event: &CheckEvent<T>) -> Result<(), String> {
    if let Some(code) = event.status_code.filter(|code| !(100..=999).contains(code)) {
        return Err(format!("status_code is {code}, not in 100..=999"));
    }
    if event.attempts > i16::MAX.unsigned_abs() {
        return Err(format!("attempts is {}", event.attempts));
    }
    phases(&event.timings_us)
}

fn phases(t: &Timings) -> Result<(), String> {
    let all = [t.dns, t.connect, t.tls, t.first_byte, t.transfer, t.total];
    if let Some(micros) = all
        .into_iter()
        .flatten()
        .find(|micros| *micros > MAX_MICROS)
    {
        return Err(format!("a phase took {micros} µs, more than {MAX_MICROS}"));
    }
    Ok(())
}

fn texts<T: AsRef<str>>(event: &CheckEvent<T>) -> Result<(), String> {
    check_text("checker", &event.checker, MAX_CHECKER)?;
    if let Some(failure) = &event.failure {
        check_text("failure.detail", &failure.detail, MAX_TEXT)?;
    }
    if let Some(http) = &event.http {
        check_optional("http.version", http.version.as_ref())?;
        check_optional("http.remote_addr", http.remote_addr.as_ref())?;
        check_optional("http.final_url", http.final_url.as_ref())?;
    }
    if let Some(tls) = &event.tls {
        check_optional("tls.version", tls.version.as_ref())?;
        check_optional("tls.cipher", tls.cipher.as_ref())?;
        check_optional("tls.subject", tls.subject.as_ref())?;
        check_optional("tls.issuer", tls.issuer.as_ref())?;
        check_optional("tls.sha256", tls.sha256.as_ref())?;
        let verify_error = tls.verify_error.as_ref();
        check_optional("tls.verify_error", verify_error.map(|error| &error.detail))?;
    }
    Ok(())
}

fn lists<T: AsRef<str>>(event: &CheckEvent<T>) -> Result<(), String> {
    let hops = event.http.iter().flat_map(|http| &http.hops);
    let chain = event.tls.iter().flat_map(|tls| &tls.chain);
    for (name, count) in [
        ("http.hops", hops.clone().count()),
        ("tls.chain", chain.clone().count()),
    ] {
        if count > MAX_LIST {
            return Err(format!("{name} has {count} items, more than {MAX_LIST}"));
        }
    }
    for hop in hops {
        phases(&hop.timings_us)?;
        check_text("http.hops.url", &hop.url, MAX_TEXT)?;
        check_optional("http.hops.remote_addr", hop.remote_addr.as_ref())?;
    }
    for certificate in chain {
        check_optional("tls.chain", certificate.subject.as_ref())?;
        check_optional("tls.chain", certificate.issuer.as_ref())?;
        check_optional("tls.chain", certificate.sha256.as_ref())?;
    }
    Ok(())
}

fn check_optional<T: AsRef<str>>(name: &str, text: Option<&T>) -> Result<(), String> {
    text.map_or(Ok(()), |text| check_text(name, text, MAX_TEXT))
}

fn check_text<T: AsRef<str>>(name: &str, text: &T, longest: usize) -> Result<(), String> {
    let text = text.as_ref();
    if text.len() > longest {
        return Err(format!(
            "{name} has {} bytes, more than {longest}",
            text.len()
        ));
    }
    if text.contains('\0') {
        return Err(format!("{name} contains a NUL character"));
    }
    Ok(())
}
