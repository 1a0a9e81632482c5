//! The settings that a server is started with.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::cluster::write_private;
use super::options::{Durability, PostgresOptions, PostgresTls};
use crate::user::ServiceUser;

const COMMON: [(&str, &str); 4] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("max_connections", "200"),
    ("timezone", "UTC"),
];

/// Commits stay synchronous: they must outlive a server that is killed, and cost little without
/// `fsync`.
const FAST: [(&str, &str); 2] = [("fsync", "off"), ("full_page_writes", "off")];

/// All settings but the port; the later of two wins, so the caller's come last.
pub(super) fn resolve(
    options: &PostgresOptions,
    home: &Path,
    user: Option<ServiceUser>,
) -> Result<Vec<(String, String)>> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let mut settings: Vec<_> = COMMON.iter().map(owned).collect();
    if options.durability == Durability::FastForTests {
        settings.extend(FAST.iter().map(owned));
    }
    if let Some(tls) = &options.tls {
        settings.extend(tls_settings(tls, home, user)?);
    }
    settings.extend(options.settings.iter().cloned());
    Ok(settings)
}

/// The server wants its key to be its own and nobody else's, so it gets copies.
fn tls_settings(
    tls: &PostgresTls,
    home: &Path,
    user: Option<ServiceUser>,
) -> Result<Vec<(String, String)>> {
    let mut settings = vec![("ssl".to_owned(), "on".to_owned())];
    let files = [
        ("ssl_cert_file", &tls.certificate, "server.crt"),
        ("ssl_key_file", &tls.key, "server.key"),
    ];
    for (setting, source, name) in files {
        let bytes =
            fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
        let copy = home.join(name);
        write_private(&copy, &bytes, user)?;
        settings.push((setting.to_owned(), copy.to_string_lossy().into_owned()));
    }
    Ok(settings)
}
