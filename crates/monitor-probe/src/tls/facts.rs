//! Reading a certificate for people. What cannot be read is left out; judging it is not done here.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use monitor_core::event::{ChainCertificate, TlsFacts};
use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::parse_x509_certificate;
use x509_parser::time::ASN1Time;

/// Longest name that is kept, in characters.
const MAX_NAME: usize = 256;

/// Most certificates of a chain that are kept.
const MAX_CHAIN: usize = 8;

/// Reads the certificate of a server, and those that it sent after it.
pub(super) fn read(
    certificate: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    facts: &mut TlsFacts,
) {
    facts.chain = intermediates
        .iter()
        .take(MAX_CHAIN)
        .map(chain_certificate)
        .collect();
    facts.sha256 = Some(hexadecimal(&Sha256::digest(certificate)));
    let Ok((_, parsed)) = parse_x509_certificate(certificate) else {
        return;
    };
    facts.subject = Some(printable(&parsed.subject().to_string()));
    facts.issuer = Some(printable(&parsed.issuer().to_string()));
    facts.not_before = instant(parsed.validity().not_before);
    facts.not_after = instant(parsed.validity().not_after);
}

/// Whose certificate it is, and who signed it.
pub(super) fn names(certificate: &CertificateDer<'_>) -> (String, String) {
    let read = chain_certificate(certificate);
    let unknown = || "without a name".to_owned();
    (
        read.subject.unwrap_or_else(unknown),
        read.issuer.unwrap_or_else(unknown),
    )
}

fn chain_certificate(certificate: &CertificateDer<'_>) -> ChainCertificate {
    let sha256 = Some(hexadecimal(&Sha256::digest(certificate)));
    let Ok((_, parsed)) = parse_x509_certificate(certificate) else {
        return ChainCertificate {
            sha256,
            ..ChainCertificate::default()
        };
    };
    ChainCertificate {
        subject: Some(printable(&parsed.subject().to_string())),
        issuer: Some(printable(&parsed.issuer().to_string())),
        not_after: instant(parsed.validity().not_after),
        sha256,
    }
}

fn instant(time: ASN1Time) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.timestamp(), 0)
}

/// Names come from the other side: no control characters, no floods.
fn printable(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_NAME)
        .collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}
