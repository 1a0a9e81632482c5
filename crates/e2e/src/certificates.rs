//! Certificates for brokers, databases and clients, made on the spot.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, in PEM.
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key, PKCS#8.
    pub key: String,
}

impl Authority {
    /// A new authority.
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
        })
    }

    /// Its own certificate.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a name, valid now.
    pub fn issue(&self, name: &str) -> anyhow::Result<Identity> {
        self.issue_until(name, Utc::now() + TimeDelta::days(365))
    }

    /// A certificate for a name that ended yesterday.
    pub fn issue_expired(&self, name: &str) -> anyhow::Result<Identity> {
        self.issue_until(name, Utc::now() - TimeDelta::days(1))
    }

    fn issue_until(&self, name: &str, end: DateTime<Utc>) -> anyhow::Result<Identity> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(
            end.year(),
            u8::try_from(end.month())?,
            u8::try_from(end.day())?,
        );
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Identity {
            certificate,
            key: key.serialize_pem(),
        })
    }
}

impl Identity {
    /// Writes certificate and key as two files, the key readable to its owner only.
    pub fn write(&self, folder: &Path, name: &str) -> anyhow::Result<(PathBuf, PathBuf)> {
        let (certificate, key) = (
            folder.join(format!("{name}.cert")),
            folder.join(format!("{name}.key")),
        );
        fs::write(&certificate, &self.certificate).context("cannot write a certificate")?;
        fs::write(&key, &self.key).context("cannot write a key")?;
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok((certificate, key))
    }
}
