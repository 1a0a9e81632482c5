//! A certificate verifier that records what it is shown before it decides.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::{Record, facts};

/// Asks the real verifier, and returns its verdict unchanged unless the site does not want one.
#[derive(Debug)]
pub(super) struct RecordingVerifier {
    inner: Arc<dyn ServerCertVerifier>,
    record: Record,
    enforce: bool,
}

impl RecordingVerifier {
    /// With `enforce` false, every certificate is accepted: the site has `tls_verify: false`.
    pub(super) fn new(inner: Arc<dyn ServerCertVerifier>, record: Record, enforce: bool) -> Self {
        Self {
            inner,
            record,
            enforce,
        }
    }
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
        self.record
            .update(|known| facts::read(end_entity, intermediates, known));
        let verdict = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verdict {
            Err(error) if !self.enforce => {
                let error = super::verify_error(&error, &self.record);
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
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
