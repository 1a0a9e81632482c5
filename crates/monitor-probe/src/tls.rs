//! The TLS handshake, and what it tells, also when it fails.

mod bounded;
mod facts;
mod presented;
mod revoked;
mod stapled;
mod trust;
mod trusted;
mod verifier;

use std::sync::{Arc, Mutex, PoisonError};

use monitor_core::event::TlsFacts;
use monitor_core::{FailureKind, Phase, SiteConfig};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, OtherError, ProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

use self::revoked::Revoked;
pub(crate) use self::trust::Trust;
use crate::failure::{Failed, kind_of_io};

/// What is known of a TLS session. The handshake writes while somebody else may be about to read,
/// when the deadline falls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<Option<TlsFacts>>>);

impl Record {
    pub(crate) fn facts(&self) -> Option<TlsFacts> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn update(&self, change: impl FnOnce(&mut TlsFacts)) {
        let mut facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(facts.get_or_insert_default());
    }
}

/// Makes the handshake. What the server shows is recorded before anything is decided.
pub(crate) async fn handshake(
    trust: &Trust,
    site: &SiteConfig,
    url: &Url,
    stream: TcpStream,
    record: &Record,
) -> Result<TlsStream<TcpStream>, Failed> {
    let unusable = |detail| Failed::new(FailureKind::Configuration, Phase::Tls, detail);
    let config = trust
        .client_config(site, record.clone())
        .map_err(unusable)?;
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_owned();
    let name = ServerName::try_from(host.clone())
        .map_err(|_| unusable(format!("{host:?} is no name that a certificate can have")))?;
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let stream = connecting.await.map_err(|error| failed(&error, record))?;
    let (_, session) = stream.get_ref();
    record.update(|facts| {
        facts.version = session.protocol_version().map(version_name);
        let negotiated = session.negotiated_cipher_suite();
        facts.cipher = negotiated.and_then(|cipher| Some(cipher.suite().as_str()?.to_owned()));
    });
    Ok(stream)
}

fn version_name(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

fn failed(error: &std::io::Error, record: &Record) -> Failed {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(error) = tls else {
        let kind = kind_of_io(error, FailureKind::TlsHandshake);
        let detail = format!("TLS handshake broke off: {error}");
        return Failed::new(kind, Phase::Tls, detail);
    };
    refused(error, record)
}

/// What a certificate is refused for; any other error of the session is a failed handshake.
fn refused(error: &rustls::Error, record: &Record) -> Failed {
    let (kind, detail) = match error {
        rustls::Error::InvalidCertificate(reason) => (
            kind_of_certificate(reason),
            certificate_detail(reason, record),
        ),
        rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => (
            FailureKind::ProtocolError,
            "the server does not offer the HTTP version that the site asks for".to_owned(),
        ),
        other => (
            FailureKind::TlsHandshake,
            format!("TLS handshake failed: {other}"),
        ),
    };
    Failed::new(kind, Phase::Tls, detail)
}

fn kind_of_certificate(reason: &CertificateError) -> FailureKind {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            FailureKind::CertExpired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            FailureKind::CertNotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            FailureKind::CertHostnameMismatch
        }
        CertificateError::UnknownIssuer => FailureKind::CertUntrusted,
        CertificateError::Other(OtherError(error)) if error.is::<Revoked>() => {
            FailureKind::CertRevoked
        }
        _ => FailureKind::CertInvalid,
    }
}

fn certificate_detail(reason: &CertificateError, record: &Record) -> String {
    if let CertificateError::Other(OtherError(error)) = reason {
        return error.to_string();
    }
    let facts = record.facts().unwrap_or_default();
    let subject = facts
        .subject
        .unwrap_or_else(|| "without a subject".to_owned());
    match kind_of_certificate(reason) {
        FailureKind::CertExpired => match facts.not_after {
            Some(end) => format!("certificate {subject} expired on {end}"),
            None => format!("certificate {subject} has expired"),
        },
        FailureKind::CertUntrusted => {
            let issuer = facts.issuer.unwrap_or_else(|| "unknown".to_owned());
            format!("certificate {subject} is signed by {issuer}, which is not trusted")
        }
        _ => format!("certificate {subject}: {reason}"),
    }
}
