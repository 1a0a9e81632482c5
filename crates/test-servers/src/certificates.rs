//! Certificates, good and bad ones.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// A certificate authority.
pub struct Authority {
    pub(crate) issuer: Issuer<'static, KeyPair>,
    /// The certificates between its leaves and its root; empty when it is the root.
    intermediates: Vec<String>,
    pem: String,
}

/// What a certificate says.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Whom it is for.
    pub names: Vec<String>,
    /// When it is valid.
    pub validity: Validity,
    /// What it is for.
    pub usage: ExtendedKeyUsagePurpose,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug)]
pub enum Validity {
    /// From years ago to far away.
    Now,
    /// No more, for years.
    Past,
    /// Not for a long time.
    Future,
}

/// A certificate with its chain and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate, followed by the intermediate ones.
    pub chain: String,
    /// The private key, PKCS#8.
    pub key: String,
}

impl Default for Leaf {
    /// A good one, of a server on the loopback interface.
    fn default() -> Self {
        let names = ["127.0.0.1", "::1", "localhost", "site.test"];
        Self {
            names: names.map(str::to_owned).to_vec(),
            validity: Validity::Now,
            usage: ExtendedKeyUsagePurpose::ServerAuth,
        }
    }
}

impl Leaf {
    /// A good one, of a client.
    #[must_use]
    pub fn of_client() -> Self {
        Self {
            usage: ExtendedKeyUsagePurpose::ClientAuth,
            ..Self::default()
        }
    }

    /// For this name only.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self {
            names: vec![name.to_owned()],
            ..Self::default()
        }
    }

    /// A good one, of whoever speaks for an authority about revoked certificates.
    #[must_use]
    pub fn of_responder() -> Self {
        Self {
            usage: ExtendedKeyUsagePurpose::OcspSigning,
            ..Self::default()
        }
    }

    fn params(&self) -> anyhow::Result<CertificateParams> {
        let mut params = CertificateParams::new(self.names.clone())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "test leaf");
        params.extended_key_usages = vec![self.usage.clone()];
        let (start, end) = match self.validity {
            Validity::Now => (2020, 2090),
            Validity::Past => (2020, 2021),
            Validity::Future => (2080, 2090),
        };
        params.not_before = date_time_ymd(start, 1, 1);
        params.not_after = date_time_ymd(end, 1, 1);
        Ok(params)
    }

    /// Signs it with its own key.
    pub fn self_signed(&self) -> anyhow::Result<Identity> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let chain = self.params()?.self_signed(&key)?.pem();
        let key = key.serialize_pem();
        Ok(Identity { chain, key })
    }
}

impl Authority {
    /// A root.
    pub fn root() -> anyhow::Result<Self> {
        Self::root_called("test root")
    }

    /// A root of this name. Of two with one name, each takes the other's leaves for badly signed
    /// ones of its own.
    pub fn root_called(name: &str) -> anyhow::Result<Self> {
        let params = authority_params(name)?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            intermediates: Vec::new(),
            pem,
        })
    }

    /// An authority below this one.
    pub fn intermediate(&self) -> anyhow::Result<Self> {
        let params = authority_params("test intermediate")?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let pem = params.signed_by(&key, &self.issuer)?.pem();
        let mut intermediates = vec![pem.clone()];
        intermediates.extend(self.intermediates.clone());
        Ok(Self {
            issuer: Issuer::new(params, key),
            intermediates,
            pem,
        })
    }

    /// Its own certificate, in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its private key, in PEM.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// Signs a leaf.
    pub fn issue(&self, leaf: &Leaf) -> anyhow::Result<Identity> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = leaf.params()?.signed_by(&key, &self.issuer)?.pem();
        Ok(Identity {
            chain: certificate + &self.intermediates.concat(),
            key: key.serialize_pem(),
        })
    }
}

fn authority_params(name: &str) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

impl Identity {
    /// Certificate, chain and key in one text.
    #[must_use]
    pub fn pem(&self) -> String {
        format!("{}{}", self.chain, self.key)
    }

    /// Writes chain and key as two files, the key readable to its owner only.
    pub fn write(&self, folder: &Path, name: &str) -> anyhow::Result<(PathBuf, PathBuf)> {
        let [chain, key] = ["cert", "key"].map(|kind| folder.join(format!("{name}.{kind}")));
        fs::write(&chain, &self.chain).context("cannot write a certificate")?;
        fs::write(&key, &self.key).context("cannot write a key")?;
        fs::set_permissions(&key, Permissions::from_mode(0o600))?;
        Ok((chain, key))
    }

    /// Its certificate alone, as it is sent.
    pub fn der(&self) -> anyhow::Result<Vec<u8>> {
        let certificate = CertificateDer::from_pem_slice(self.chain.as_bytes());
        Ok(certificate.context("our own PEM")?.to_vec())
    }

    /// A server that shows this identity and offers these protocols.
    pub fn server(&self, alpn: &[&str]) -> anyhow::Result<Arc<ServerConfig>> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.certificates()?, self.private_key()?)?;
        Ok(offering(config, alpn))
    }

    /// A server that shows this identity, and what its authority says about it.
    pub fn server_with_ocsp(&self, response: Vec<u8>) -> anyhow::Result<Arc<ServerConfig>> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert_with_ocsp(self.certificates()?, self.private_key()?, response)?;
        Ok(offering(config, &[]))
    }

    /// A server that shows this identity and asks for one of this authority.
    pub fn server_for_clients_of(&self, clients: &Authority) -> anyhow::Result<Arc<ServerConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(clients.pem.as_bytes())?)?;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build()?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.certificates()?, self.private_key()?)?;
        Ok(offering(config, &[]))
    }

    fn certificates(&self) -> anyhow::Result<Vec<CertificateDer<'static>>> {
        let certificates = CertificateDer::pem_slice_iter(self.chain.as_bytes());
        certificates
            .collect::<Result<_, _>>()
            .context("our own PEM")
    }

    fn private_key(&self) -> anyhow::Result<PrivateKeyDer<'static>> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).context("our own PEM")
    }
}

/// A server that shows these bytes as if they were a certificate.
pub fn unreadable(certificate: Vec<u8>) -> anyhow::Result<Arc<ServerConfig>> {
    let identity = Leaf::default().self_signed()?;
    let key = provider()
        .key_provider
        .load_private_key(identity.private_key()?)?;
    let shown = CertifiedKey::new(vec![CertificateDer::from(certificate)], key);
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(shown))));
    Ok(offering(config, &[]))
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn offering(mut config: ServerConfig, alpn: &[&str]) -> Arc<ServerConfig> {
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
