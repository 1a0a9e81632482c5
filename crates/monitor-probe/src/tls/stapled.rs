//! What the OCSP response that a server staples to its certificate says about it.
//!
//! Only a revocation counts, and only one that is proven: a response that is out of date, about
//! another certificate or signed by anybody else is as good as none.

mod response;

use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::parse_x509_certificate;

use self::response::{Answer, Response};
use super::facts;
use super::revoked::Revoked;
use super::trusted::{Shown, Trusted};

/// 1.3.6.1.5.5.7.3.9: what the certificate of a responder is for.
const OCSP_SIGNING: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 9];
/// How far the clock of a responder may be ahead of ours, in seconds.
const SKEW: i64 = 5 * 60;
/// How long an answer holds that does not say so itself, in seconds.
const DAY: i64 = 24 * 60 * 60;

/// Who has signed the server's certificate.
struct Issuer<'a> {
    /// Its name, without the header.
    name: &'a [u8],
    key: SubjectPublicKeyInfoDer<'a>,
}

/// Whether the stapled response proves that the server's certificate is revoked.
pub(super) fn revoked(trusted: &Trusted, shown: &Shown<'_>, now: UnixTime) -> Option<Revoked> {
    // Most servers staple nothing, and most responses revoke nothing: this must cost nothing then.
    let response = Response::read(shown.ocsp_response)?;
    let mut answers = response.answers.iter().filter(|answer| answer.is_revoked);
    let first = answers.next()?;
    let leaf = EndEntityCert::try_from(shown.certificate).ok()?;
    let way = trusted.way(&leaf, shown, now, None).ok()?;
    let issuer = Issuer {
        name: leaf.issuer(),
        key: way.issuer_spki(),
    };
    let (_, read) = parse_x509_certificate(shown.certificate).ok()?;
    let is_ours = |answer: &Answer<'_>| {
        answer.serial == leaf.serial()
            && answer.is_of(read.issuer().as_raw(), &issuer.key)
            && is_current(answer, now)
    };
    let is_proven = std::iter::once(first).chain(answers).any(is_ours)
        && is_signed(&response, &issuer, trusted, now);
    if !is_proven {
        tracing::debug!(subject = %read.subject(), "the stapled OCSP response proves nothing");
        return None;
    }
    let (subject, _) = facts::names(shown.certificate);
    Some(Revoked::Stapled { subject })
}

fn is_current(answer: &Answer<'_>, now: UnixTime) -> bool {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let until = answer.until.unwrap_or(answer.from.saturating_add(DAY));
    answer.from <= now.saturating_add(SKEW) && now < until
}

/// Whether the issuer itself has signed it, or somebody whom it has asked to.
fn is_signed(
    response: &Response<'_>,
    issuer: &Issuer<'_>,
    trusted: &Trusted,
    now: UnixTime,
) -> bool {
    let is_signed_with = |key: &_| response.is_signed_with(key, trusted.algorithms);
    let mut responders = response.certificates.iter();
    is_signed_with(&issuer.key)
        || responders.any(|responder| {
            let key = responder_key(responder, issuer, trusted, now);
            key.is_some_and(|key| is_signed_with(&key))
        })
}

/// The key of a responder, when the issuer has given it a certificate for that.
fn responder_key(
    responder: &CertificateDer<'_>,
    issuer: &Issuer<'_>,
    trusted: &Trusted,
    now: UnixTime,
) -> Option<SubjectPublicKeyInfoDer<'static>> {
    let key = crate::der::Values::new(&issuer.key).any()?.content;
    let anchor = TrustAnchor {
        subject: issuer.name.into(),
        subject_public_key_info: key.into(),
        name_constraints: None,
    };
    let responder = EndEntityCert::try_from(responder).ok()?;
    responder
        .verify_for_usage(
            trusted.algorithms.all,
            &[anchor],
            &[],
            now,
            KeyUsage::required(&OCSP_SIGNING),
            None,
            None,
        )
        .ok()?;
    Some(responder.subject_public_key_info())
}

#[cfg(test)]
mod tests;
