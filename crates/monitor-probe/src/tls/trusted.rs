//! Verifying what a server shows against a set of authorities, the expensive part only once.
//!
//! Building and checking a chain costs a signature or two each time, and a monitor sees the same
//! certificates again and again. That a chain leads to an authority, for a name, depends on nothing
//! but the certificates, the name and the authorities, except for the time: so a success is
//! remembered, and holds while every certificate that was shown is valid. Failures are never
//! remembered. The server's signature in the handshake is checked every time.

//!
//! Whether a certificate has been revoked depends on the revocation lists, too, but on no name: that
//! is remembered apart, for the lists as they are.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier as _};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::VerifierBuilderError;
use rustls::{CertificateError, Error, OtherError, RootCertStore};
use webpki::{EndEntityCert, KeyUsage, RevocationOptions, VerifiedPath};

use super::bounded::Bounded;
use super::presented::{Fingerprint, Presented};
use super::revoked::{self, Revoked};
use super::stapled;
use crate::revocation::Known;

/// Most successes that are remembered, and most chains of which it is remembered what lists say.
const CAPACITY: usize = 20_000;

/// A set of authorities.
#[derive(Debug)]
pub(super) struct Trusted {
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    verified: Bounded<(Fingerprint, ServerName<'static>), ()>,
    /// By what is shown, and the generation of the lists.
    remembered: Bounded<(Fingerprint, u64), Option<Revoked>>,
}

/// What is shown in one handshake.
pub(super) struct Shown<'a> {
    pub(super) certificate: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
    pub(super) name: &'a ServerName<'a>,
    pub(super) ocsp_response: &'a [u8],
}

impl Trusted {
    pub(super) fn new(
        roots: RootCertStore,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let roots = Arc::new(roots);
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider));
        Ok(Self {
            verifier: builder.build()?,
            roots,
            algorithms: provider.signature_verification_algorithms,
            verified: Bounded::new(CAPACITY),
            remembered: Bounded::new(CAPACITY),
        })
    }

    /// The verdict of the verifier, of the revocation lists, and of what is stapled. `presented` is what is shown, read.
    pub(super) fn verify(
        &self,
        shown: &Shown<'_>,
        presented: &Presented,
        lists: &Known,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.verify_chain(shown, presented, now);
        if !is_good_chain(&verdict) {
            return verdict;
        }
        let listed = self.listed(shown, presented, lists, now);
        match listed.or_else(|| stapled::revoked(self, shown, now)) {
            Some(revoked) => Err(CertificateError::Other(OtherError(Arc::new(revoked))).into()),
            None => verdict,
        }
    }

    /// A way from the server's certificate to an authority, on which nothing is revoked.
    pub(super) fn way<'a>(
        &'a self,
        leaf: &'a EndEntityCert<'a>,
        shown: &'a Shown<'a>,
        now: UnixTime,
        revocation: Option<RevocationOptions<'_>>,
    ) -> Result<VerifiedPath<'a>, webpki::Error> {
        leaf.verify_for_usage(
            self.algorithms.all,
            &self.roots.roots,
            shown.intermediates,
            now,
            KeyUsage::server_auth(),
            revocation,
            None,
        )
    }

    fn verify_chain(
        &self,
        shown: &Shown<'_>,
        presented: &Presented,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let key = (presented.fingerprint, shown.name.to_owned());
        let current = presented.is_current(now);
        if current && self.verified.get(&key).is_some() {
            return Ok(ServerCertVerified::assertion());
        }
        let verdict = self.verifier.verify_server_cert(
            shown.certificate,
            shown.intermediates,
            shown.name,
            shown.ocsp_response,
            now,
        )?;
        if current {
            self.verified.insert(key, ());
        }
        Ok(verdict)
    }

    fn listed(
        &self,
        shown: &Shown<'_>,
        presented: &Presented,
        known: &Known,
        now: UnixTime,
    ) -> Option<Revoked> {
        if known.lists.is_empty() {
            return None;
        }
        let key = (presented.fingerprint, known.generation);
        let current = presented.is_current(now);
        if current && let Some(remembered) = self.remembered.get(&key) {
            return remembered;
        }
        let revoked = revoked::by_lists(&known.lists, self, shown, now);
        if current {
            self.remembered.insert(key, revoked.clone());
        }
        revoked
    }
}

/// Whether it leads to an authority, be it for the name or not.
fn is_good_chain(verdict: &Result<ServerCertVerified, Error>) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    match verdict {
        Ok(_) => true,
        Err(Error::InvalidCertificate(reason)) => {
            matches!(reason, NotValidForName | NotValidForNameContext { .. })
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests;
