//! A certificate verifier that records what it is shown before it decides.

use std::sync::Arc;

use monitor_core::Failure;
use monitor_core::event::VerifyError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::Record;
use super::trust::Readings;
use super::trusted::{Shown, Trusted};
use crate::revocation::Known;

/// Asks the real verifier, and returns its verdict unchanged unless the site does not want one.
#[derive(Debug)]
pub(super) struct RecordingVerifier {
    /// Whom to trust.
    pub(super) trusted: Arc<Trusted>,
    /// What is known to be revoked.
    pub(super) lists: Arc<Known>,
    /// Certificates that were read before.
    pub(super) readings: Arc<Readings>,
    pub(super) record: Record,
    /// When false, every certificate is accepted: the site has `tls_verify: false`.
    pub(super) enforce: bool,
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let presented = self.readings.read(end_entity, intermediates);
        self.record
            .update(|known| known.clone_from(&presented.facts));
        let shown = Shown {
            certificate: end_entity,
            intermediates,
            name: server_name,
            ocsp_response,
        };
        match self.trusted.verify(&shown, &presented, &self.lists, now) {
            Err(error) if !self.enforce => {
                let failure = Failure::from(super::refused(&error, &self.record));
                let error = VerifyError::from(failure);
                self.record.update(|known| known.verify_error = Some(error));
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verifier = &self.trusted.verifier;
        verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verifier = &self.trusted.verifier;
        verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trusted.verifier.supported_verify_schemes()
    }
}
