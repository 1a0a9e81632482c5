//! One certificate revocation list, read.

use chrono::{DateTime, Utc};
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;
use webpki::{CertRevocationList, OwnedCertRevocationList};
use x509_parser::asn1_rs::{FromDer as _, Tag};
use x509_parser::time::ASN1Time;

use crate::der::Values;

/// How every DER value with parts begins, and no PEM text does.
const SEQUENCE: u8 = 0x30;

/// A list of certificates that their authority has revoked.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) entries: CertRevocationList<'static>,
    /// When it was made, in seconds since 1970.
    pub(super) made: i64,
    /// When a newer one was to follow.
    pub(super) next: Option<DateTime<Utc>>,
}

impl List {
    /// Reads every list of a file, PEM or DER.
    pub(crate) fn read_all(bytes: &[u8]) -> Result<Vec<Self>, String> {
        if bytes.first() == Some(&SEQUENCE) {
            return Ok(vec![Self::read(bytes)?]);
        }
        let lists = CertificateRevocationListDer::pem_slice_iter(bytes)
            .map(|list| Self::read(&list.map_err(|error| format!("is no PEM file: {error}"))?))
            .collect::<Result<Vec<_>, _>>()?;
        if lists.is_empty() {
            return Err("has no certificate revocation list in it".to_owned());
        }
        Ok(lists)
    }

    fn read(der: &[u8]) -> Result<Self, String> {
        let unusable =
            |error| format!("is no certificate revocation list that we can use: {error}");
        let entries =
            OwnedCertRevocationList::from_der(der).map_err(|error| unusable(error.to_string()))?;
        let (made, next) = times(der).ok_or_else(|| unusable("without a time".to_owned()))?;
        Ok(Self {
            entries: entries.into(),
            made: made.timestamp(),
            next: next.and_then(|next| DateTime::from_timestamp(next.timestamp(), 0)),
        })
    }
}

/// When a list was made, and when the next one is due. The entries after that may be millions.
fn times(der: &[u8]) -> Option<(ASN1Time, Option<ASN1Time>)> {
    let mut list = Values::new(der).sequence()?.sequence()?;
    let _version = list.of(Tag::Integer);
    let _signature_algorithm = list.sequence()?;
    let _issuer = list.sequence()?;
    let made = time(list)?;
    list.any()?;
    Some((made, time(list)))
}

fn time(mut values: Values<'_>) -> Option<ASN1Time> {
    let time = ASN1Time::from_der(values.any()?.whole).ok()?;
    Some(time.1)
}
