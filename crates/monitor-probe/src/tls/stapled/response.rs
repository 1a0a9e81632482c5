//! An OCSP response (RFC 6960), read but not believed.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use webpki::RawPublicKeyEntity;
use x509_parser::asn1_rs::{FromDer as _, Tag};
use x509_parser::time::ASN1Time;

use crate::der::{Value, Values};

/// `responseStatus`: there is an answer.
const SUCCESSFUL: [u8; 1] = [0];
/// 1.3.6.1.5.5.7.48.1.1, the one kind of response that there is.
const BASIC: [u8; 9] = [0x2b, 6, 1, 5, 5, 7, 48, 1, 1];
/// Most certificates that are read; responders send one, or none.
const MAX_CERTIFICATES: usize = 3;

/// The answers of somebody, signed.
#[derive(Debug)]
pub(super) struct Response<'a> {
    pub(super) answers: Vec<Answer<'a>>,
    /// The certificates that came along.
    pub(super) certificates: Vec<CertificateDer<'a>>,
    /// What is signed.
    pub(super) data: &'a [u8],
    algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// What is said about one certificate.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) is_revoked: bool,
    pub(super) serial: &'a [u8],
    /// From when this holds, in seconds since 1970.
    pub(super) from: i64,
    /// Until when, if it says so.
    pub(super) until: Option<i64>,
    hash: &'a [u8],
    issuer_name_hash: &'a [u8],
    issuer_key_hash: &'a [u8],
}

impl<'a> Response<'a> {
    /// `None` when it is none, or one without an answer.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut response = Values::new(der).sequence()?;
        if response.of(Tag::Enumerated)?.content != SUCCESSFUL {
            return None;
        }
        let mut typed = Values::new(response.numbered(0)?.content).sequence()?;
        if typed.of(Tag::Oid)?.content != BASIC {
            return None;
        }
        let mut basic = Values::new(typed.of(Tag::OctetString)?.content).sequence()?;
        let data = basic.of(Tag::Sequence)?;
        Some(Self {
            answers: answers(data)?,
            data: data.whole,
            algorithm: basic.of(Tag::Sequence)?.content,
            signature: bits(basic.of(Tag::BitString)?)?,
            certificates: basic.numbered(0).map(certificates).unwrap_or_default(),
        })
    }

    /// Whether this key has signed it.
    pub(super) fn is_signed_with(
        &self,
        key: &SubjectPublicKeyInfoDer<'_>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> bool {
        let Ok(key) = RawPublicKeyEntity::try_from(key) else {
            return false;
        };
        let mut algorithms = algorithms.all.iter();
        algorithms.any(|algorithm| {
            *algorithm.signature_alg_id() == *self.algorithm
                && key
                    .verify_signature(*algorithm, self.data, self.signature)
                    .is_ok()
        })
    }
}

fn answers(data: Value<'_>) -> Option<Vec<Answer<'_>>> {
    let mut data = Values::new(data.content);
    let _version = data.numbered(0);
    let _responder = data.any()?;
    let _produced = data.of(Tag::GeneralizedTime)?;
    let mut answers = data.sequence()?;
    let mut read = Vec::new();
    while let Some(answer) = answers.sequence() {
        read.push(Answer::read(answer)?);
    }
    Some(read)
}

fn certificates(list: Value<'_>) -> Vec<CertificateDer<'_>> {
    let Some(mut list) = Values::new(list.content).sequence() else {
        return Vec::new();
    };
    std::iter::from_fn(|| list.of(Tag::Sequence))
        .take(MAX_CERTIFICATES)
        .map(|certificate| CertificateDer::from(certificate.whole))
        .collect()
}

/// The bytes of a bit string, when it has no other bits.
fn bits(value: Value<'_>) -> Option<&[u8]> {
    let (unused, bytes) = value.content.split_first()?;
    (*unused == 0).then_some(bytes)
}

impl<'a> Answer<'a> {
    fn read(mut answer: Values<'a>) -> Option<Self> {
        let mut certificate = answer.sequence()?;
        let hash = certificate.sequence()?.of(Tag::Oid)?.content;
        let issuer_name_hash = certificate.of(Tag::OctetString)?.content;
        let issuer_key_hash = certificate.of(Tag::OctetString)?.content;
        let serial = certificate.of(Tag::Integer)?.content;
        let is_revoked = answer.numbered(1).is_some();
        if !is_revoked {
            let _good_or_unknown = answer.any()?;
        }
        let from = time(answer.of(Tag::GeneralizedTime)?)?;
        let until = match answer.numbered(0) {
            Some(until) => Some(time(Values::new(until.content).of(Tag::GeneralizedTime)?)?),
            None => None,
        };
        Some(Self {
            is_revoked,
            serial,
            from,
            until,
            hash,
            issuer_name_hash,
            issuer_key_hash,
        })
    }

    /// Whether it is about a certificate of this issuer: its name, and its key.
    pub(super) fn is_of(&self, name: &[u8], key: &SubjectPublicKeyInfoDer<'_>) -> bool {
        let (Some(algorithm), Some(key)) = (hash(self.hash), key_bits(key)) else {
            return false;
        };
        digest(algorithm, name).as_ref() == self.issuer_name_hash
            && digest(algorithm, key).as_ref() == self.issuer_key_hash
    }
}

fn time(value: Value<'_>) -> Option<i64> {
    let (_, time) = ASN1Time::from_der(value.whole).ok()?;
    Some(time.timestamp())
}

fn key_bits<'a>(key: &'a SubjectPublicKeyInfoDer<'_>) -> Option<&'a [u8]> {
    let mut key = Values::new(key).sequence()?;
    let _algorithm = key.sequence()?;
    bits(key.of(Tag::BitString)?)
}

/// The hash of this name. SHA-1 protects nothing here: it only tells issuers apart.
fn hash(oid: &[u8]) -> Option<&'static Algorithm> {
    match oid {
        [0x2b, 14, 3, 2, 26] => Some(&SHA1_FOR_LEGACY_USE_ONLY),
        [0x60, 0x86, 0x48, 1, 101, 3, 4, 2, 1] => Some(&SHA256),
        [0x60, 0x86, 0x48, 1, 101, 3, 4, 2, 2] => Some(&SHA384),
        [0x60, 0x86, 0x48, 1, 101, 3, 4, 2, 3] => Some(&SHA512),
        _ => None,
    }
}
