//! Verifying what a server shows against a set of authorities, the expensive part only once.
//!
//! Building and checking a chain costs a signature or two each time, and a monitor sees the same
//! certificates again and again. That a chain leads to an authority, for a name, depends on nothing
//! but the certificates, the name and the authorities, except for the time: so a success is
//! remembered, and holds while every certificate that was shown is valid. Failures are never
//! remembered. The server's signature in the handshake is checked every time.

use rustls::Error;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier as _};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::bounded::Bounded;
use super::presented::{Fingerprint, Presented};

/// Most successes that are remembered.
const CAPACITY: usize = 20_000;

/// A set of authorities.
#[derive(Debug)]
pub(super) struct Trusted {
    pub(super) verifier: std::sync::Arc<WebPkiServerVerifier>,
    verified: Bounded<(Fingerprint, ServerName<'static>), ()>,
}

/// What is shown in one handshake.
pub(super) struct Shown<'a> {
    pub(super) certificate: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
    pub(super) name: &'a ServerName<'a>,
    pub(super) ocsp_response: &'a [u8],
}

impl Trusted {
    pub(super) fn new(verifier: std::sync::Arc<WebPkiServerVerifier>) -> Self {
        Self {
            verifier,
            verified: Bounded::new(CAPACITY),
        }
    }

    /// The verdict of the verifier. `presented` is what is shown, read.
    pub(super) fn verify(
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
}

#[cfg(test)]
mod tests;
