//! The certificates that a server shows, read once.

use std::ops::RangeInclusive;

use monitor_core::event::TlsFacts;
use rustls::pki_types::{CertificateDer, UnixTime};
use sha2::{Digest as _, Sha256};
use x509_parser::parse_x509_certificate;

use super::facts;

/// Names exactly these certificates in this order.
pub(super) type Fingerprint = [u8; 32];

/// What a server shows.
#[derive(Debug)]
pub(super) struct Presented {
    pub(super) fingerprint: Fingerprint,
    /// What it says, for people.
    pub(super) facts: TlsFacts,
    /// When every certificate of it is valid, in seconds since 1970; `None` when that is never, or
    /// cannot be told.
    validity: Option<RangeInclusive<u64>>,
}

impl Presented {
    pub(super) fn read(
        fingerprint: Fingerprint,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Self {
        let mut facts = TlsFacts::default();
        facts::read(certificate, intermediates, &mut facts);
        Self {
            fingerprint,
            facts,
            validity: validity(std::iter::once(certificate).chain(intermediates)),
        }
    }

    /// Whether no certificate of it has ended or is yet to begin.
    pub(super) fn is_current(&self, now: UnixTime) -> bool {
        let validity = self.validity.as_ref();
        validity.is_some_and(|validity| validity.contains(&now.as_secs()))
    }
}

pub(super) fn fingerprint(
    certificate: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in std::iter::once(certificate).chain(intermediates) {
        // With its length, so that no other split of the same bytes has the same fingerprint.
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn validity<'a>(
    certificates: impl Iterator<Item = &'a CertificateDer<'a>>,
) -> Option<RangeInclusive<u64>> {
    let (mut start, mut end) = (0, u64::MAX);
    for certificate in certificates {
        let (_, parsed) = parse_x509_certificate(certificate).ok()?;
        let validity = parsed.validity();
        start = start.max(u64::try_from(validity.not_before.timestamp()).ok()?);
        end = end.min(u64::try_from(validity.not_after.timestamp()).ok()?);
    }
    (start <= end).then_some(start..=end)
}
