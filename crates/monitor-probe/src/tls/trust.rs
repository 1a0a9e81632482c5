//! Whom to trust, and with which cryptography: what all checks share.

use std::sync::Arc;

use monitor_core::SiteConfig;
use monitor_core::site::HttpVersion;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};

use super::Record;
use super::bounded::Bounded;
use super::presented::{Fingerprint, Presented, fingerprint};
use super::trusted::Trusted;
use super::verifier::RecordingVerifier;
use crate::revocation::RevocationLists;

/// Most `tls_ca` of sites that are kept ready.
const AUTHORITIES: usize = 1_000;
/// Most certificates of servers whose reading is kept.
const READINGS: usize = 4_000;

/// Whom to trust, and with which cryptography.
#[derive(Debug)]
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    template: ClientConfig,
    system: Option<Arc<Trusted>>,
    /// By the PEM text of a site's `tls_ca`.
    of_sites: Bounded<String, Arc<Trusted>>,
    readings: Arc<Readings>,
    lists: RevocationLists,
}

/// Certificates of servers, each read once.
#[derive(Debug)]
pub(super) struct Readings(Bounded<Fingerprint, Arc<Presented>>);

impl Readings {
    pub(super) fn read(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Arc<Presented> {
        let fingerprint = fingerprint(certificate, intermediates);
        if let Some(known) = self.0.get(&fingerprint) {
            return known;
        }
        let presented = Arc::new(Presented::read(fingerprint, certificate, intermediates));
        self.0.insert(fingerprint, Arc::clone(&presented));
        presented
    }
}

impl Trust {
    /// Trusts the authorities of the system, but nothing that is in these lists.
    pub(crate) fn of_system(lists: RevocationLists) -> Result<Self, rustls::Error> {
        let provider = Arc::new(provider());
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        let system = Trusted::new(roots, &provider)
            .inspect_err(|error| {
                tracing::warn!("the system trusts no certificate authority ({error})");
            })
            .ok();
        Ok(Self {
            template: template(&provider)?,
            provider,
            system: system.map(Arc::new),
            of_sites: Bounded::new(AUTHORITIES),
            readings: Arc::new(Readings(Bounded::new(READINGS))),
            lists,
        })
    }

    fn trusted(&self, site: &SiteConfig) -> Result<Arc<Trusted>, String> {
        let Some(pem) = &site.tls_ca else {
            let none = || "the checker's system trusts no certificate authority".to_owned();
            return self.system.clone().ok_or_else(none);
        };
        if let Some(known) = self.of_sites.get(pem) {
            return Ok(known);
        }
        let trusted = authorities(pem)
            .and_then(|roots| {
                Trusted::new(roots, &self.provider).map_err(|error| error.to_string())
            })
            .map_err(|error| format!("tls_ca: {error}"))?;
        let trusted = Arc::new(trusted);
        self.of_sites.insert(pem.clone(), Arc::clone(&trusted));
        Ok(trusted)
    }

    /// The client side of one handshake, which writes what it learns into `record`.
    pub(super) fn client_config(
        &self,
        site: &SiteConfig,
        record: Record,
    ) -> Result<ClientConfig, String> {
        let verifier = RecordingVerifier {
            trusted: self.trusted(site)?,
            lists: self.lists.known(),
            readings: Arc::clone(&self.readings),
            record,
            enforce: site.tls_verify,
        };
        let mut config = self.template.clone();
        config
            .dangerous()
            .set_certificate_verifier(Arc::new(verifier));
        config.alpn_protocols = alpn(site.http_version);
        if let Some(pem) = &site.tls_client_cert {
            let identity = client_identity(pem.expose().as_bytes(), &self.provider)
                .map_err(|error| format!("tls_client_cert: {error}"))?;
            config.client_auth_cert_resolver = Arc::new(identity);
        }
        Ok(config)
    }
}

/// What all handshakes have in common. It trusts nobody: each gets a verifier of its own.
fn template(provider: &Arc<CryptoProvider>) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    // Without a full handshake the server does not show its certificate.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The default provider with its cheapest suite first: AES-128 is as good for a check as AES-256,
/// and its handshake hashes with SHA-256, for which processors have instructions.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    let preferred = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256.suite();
    provider
        .cipher_suites
        .sort_by_key(|suite| suite.suite() != preferred);
    provider
}

fn authorities(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(roots)
}

fn client_identity(pem: &[u8], provider: &CryptoProvider) -> Result<SingleCertAndKey, String> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>();
    let chain = chain.map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| format!("its key: {error}"))?;
    let identity = CertifiedKey::from_der(chain, key, provider);
    Ok(identity.map_err(|error| error.to_string())?.into())
}

fn alpn(version: HttpVersion) -> Vec<Vec<u8>> {
    let (http1, http2) = (b"http/1.1".to_vec(), b"h2".to_vec());
    match version {
        HttpVersion::Auto => vec![http2, http1],
        HttpVersion::Http1 => vec![http1],
        HttpVersion::Http2 => vec![http2],
    }
}
