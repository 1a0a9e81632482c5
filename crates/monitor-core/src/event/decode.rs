//! From bytes that anyone may have sent to an event that cannot be wrong.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{CheckEvent, SCHEMA, Timings};
use crate::failure::Outcome;

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

pub(super) fn decode(json: &[u8]) -> Result<CheckEvent, DecodeError> {
    match serde_json::from_slice::<CheckEvent>(json) {
        Ok(event) if event.schema == SCHEMA => check_values(event),
        Ok(event) => Err(DecodeError::OtherSchema {
            found: Some(event.schema),
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

fn check_values(event: CheckEvent) -> Result<CheckEvent, DecodeError> {
    identity(&event)
        .and_then(|()| instants(&event))
        .and_then(|()| verdict(&event))
        .and_then(|()| measurements(&event))
        .and_then(|()| texts(&event))
        .and_then(|()| lists(&event))
        .map_err(DecodeError::Impossible)?;
    Ok(event)
}

fn identity(event: &CheckEvent) -> Result<(), String> {
    if event.site_id.0 <= 0 {
        return Err(format!("site_id is {}, it must be positive", event.site_id));
    }
    let expected = event.slot().check_id();
    if event.id != expected {
        return Err(format!(
            "id is {}, its site, region and instant give {expected}",
            event.id
        ));
    }
    Ok(())
}

fn instants(event: &CheckEvent) -> Result<(), String> {
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

fn verdict(event: &CheckEvent) -> Result<(), String> {
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

fn measurements(event: &CheckEvent) -> Result<(), String> {
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

fn texts(event: &CheckEvent) -> Result<(), String> {
    let detail = event.failure.as_ref().map(|f| f.detail.as_str());
    let http = event.http.as_ref();
    let tls = event.tls.as_ref();
    let optional = [
        ("failure.detail", detail),
        ("http.version", http.and_then(|h| h.version.as_deref())),
        (
            "http.remote_addr",
            http.and_then(|h| h.remote_addr.as_deref()),
        ),
        ("http.final_url", http.and_then(|h| h.final_url.as_deref())),
        ("tls.version", tls.and_then(|t| t.version.as_deref())),
        ("tls.cipher", tls.and_then(|t| t.cipher.as_deref())),
        ("tls.subject", tls.and_then(|t| t.subject.as_deref())),
        ("tls.issuer", tls.and_then(|t| t.issuer.as_deref())),
        ("tls.sha256", tls.and_then(|t| t.sha256.as_deref())),
        (
            "tls.verify_error",
            tls.and_then(|t| Some(t.verify_error.as_ref()?.detail.as_str())),
        ),
    ];
    check_text("checker", &event.checker, MAX_CHECKER)?;
    for (name, text) in optional {
        check_text(name, text.unwrap_or_default(), MAX_TEXT)?;
    }
    Ok(())
}

fn lists(event: &CheckEvent) -> Result<(), String> {
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
        let address = hop.remote_addr.as_deref().unwrap_or_default();
        check_text("http.hops.remote_addr", address, MAX_TEXT)?;
    }
    for certificate in chain {
        for text in [
            &certificate.subject,
            &certificate.issuer,
            &certificate.sha256,
        ] {
            check_text("tls.chain", text.as_deref().unwrap_or_default(), MAX_TEXT)?;
        }
    }
    Ok(())
}

fn check_text(name: &str, text: &str, longest: usize) -> Result<(), String> {
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
