//! Looking at certificate files before librdkafka does, to say more than it would.

use std::path::Path;

use chrono::{DateTime, Utc};
use x509_parser::pem::Pem;

/// What is wrong with a PEM file that must hold a certificate; `None` when it does.
pub(crate) fn certificate_problem(path: &Path) -> Option<String> {
    first_certificate_end(path).err()
}

/// Logs a client certificate that has ended or soon will: the broker's own words for it are vague.
pub(crate) fn warn_about_expiry(variable: &str, path: &Path, now: DateTime<Utc>) {
    let Ok(end) = first_certificate_end(path) else {
        return;
    };
    let file = path.display();
    if end < now {
        tracing::error!("{variable}: the certificate in {file} expired on {end}: fetch a new one");
    } else if (end - now).num_days() < 30 {
        tracing::warn!("{variable}: the certificate in {file} expires on {end}");
    }
}

/// What is wrong with a PEM file that must hold a private key; `None` when it does.
pub(crate) fn key_problem(path: &Path) -> Option<String> {
    let read = read(path).and_then(|bytes| {
        let blocks = Pem::iter_from_buffer(&bytes).flatten();
        let mut labels = blocks.map(|pem| pem.label);
        match labels.find(|label| label.ends_with("PRIVATE KEY")) {
            Some(label) if label.starts_with("ENCRYPTED") => Err(format!(
                "{} holds an encrypted key: decrypt it first",
                path.display()
            )),
            Some(_) => Ok(()),
            None => Err(format!("{} holds no private key in PEM", path.display())),
        }
    });
    read.err()
}

fn first_certificate_end(path: &Path) -> Result<DateTime<Utc>, String> {
    let bytes = read(path)?;
    let mut blocks = Pem::iter_from_buffer(&bytes).flatten();
    let pem = blocks
        .find(|pem| pem.label == "CERTIFICATE")
        .ok_or_else(|| format!("{} holds no certificate in PEM", path.display()))?;
    let certificate = pem
        .parse_x509()
        .map_err(|error| format!("{}: not an X.509 certificate: {error}", path.display()))?;
    DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0)
        .ok_or_else(|| format!("{}: the certificate's end is no date", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
