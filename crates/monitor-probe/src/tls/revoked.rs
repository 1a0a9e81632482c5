//! Whether a certificate of a chain that is good otherwise has been revoked.
//!
//! Only what is at hand is asked. Where it says nothing about a certificate, that is not revoked.

use rustls::pki_types::UnixTime;
use webpki::{
    CertRevocationList, EndEntityCert, Error, RevocationOptionsBuilder, UnknownStatusPolicy,
};

use super::facts;
use super::trusted::{Shown, Trusted};
use crate::revocation::List;

/// A certificate that its authority has revoked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Revoked {
    #[error("certificate {subject} is in the revocation list of {issuer}")]
    Listed {
        /// Whose certificate it is: the server's, or that of an authority on the way.
        subject: String,
        issuer: String,
    },
    #[error("certificate {subject} is revoked, says the OCSP response that the server sends along")]
    Stapled { subject: String },
}

/// What lists say about a chain that is good without them. Lists are ordered by preference.
pub(super) fn by_lists(
    lists: &[List],
    trusted: &Trusted,
    shown: &Shown<'_>,
    now: UnixTime,
) -> Option<Revoked> {
    let certificates: Vec<_> = std::iter::once(shown.certificate)
        .chain(shown.intermediates)
        .filter_map(|certificate| EndEntityCert::try_from(certificate).ok())
        .collect();
    let concerned = lists.iter().map(|list| &list.entries).filter(|list| {
        let mut certificates = certificates.iter();
        certificates.any(|certificate| certificate.issuer() == list.issuer())
    });
    let concerned: Vec<_> = concerned.collect();
    let verify = |lists: &[&CertRevocationList<'static>]| verify(lists, trusted, shown, now);
    if verify(&concerned).is_ok() {
        return None;
    }
    // A list that another authority of the same name has signed is not about this chain.
    let is_theirs = |list: &&CertRevocationList<'static>| {
        matches!(verify(&[*list]), Ok(()) | Err(Error::CertRevoked))
    };
    let theirs: Vec<_> = concerned.into_iter().filter(is_theirs).collect();
    if verify(&theirs) != Err(Error::CertRevoked) {
        return None;
    }
    let mut certificates = certificates.iter();
    let found = certificates.find(|certificate| {
        let mut lists = theirs.iter();
        lists.any(|list| {
            let found = list.find_serial(certificate.serial());
            list.issuer() == certificate.issuer() && matches!(found, Ok(Some(_)))
        })
    })?;
    let (subject, issuer) = facts::names(&found.der());
    Some(Revoked::Listed { subject, issuer })
}

/// Whether a way leads from the server to an authority on which no list revokes a certificate.
fn verify(
    lists: &[&CertRevocationList<'static>],
    trusted: &Trusted,
    shown: &Shown<'_>,
    now: UnixTime,
) -> Result<(), Error> {
    let Ok(revocation) = RevocationOptionsBuilder::new(lists) else {
        return Ok(());
    };
    let revocation = revocation.with_status_policy(UnknownStatusPolicy::Allow);
    let leaf = EndEntityCert::try_from(shown.certificate)?;
    trusted.way(&leaf, shown, now, Some(revocation.build()))?;
    Ok(())
}
