//! How a PostgreSQL server is started.

use std::path::PathBuf;

use crate::control::Control;

/// What the server does for the safety of its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A committed transaction survives a crash of the machine.
    Durable,
    /// Nothing waits for the disk: survives a crash of the server, not of the machine.
    #[default]
    FastForTests,
}

/// The server's certificate and private key, as PEM files. Connections may then use TLS.
#[derive(Clone, Debug)]
pub struct PostgresTls {
    /// The certificate, followed by its chain.
    pub certificate: PathBuf,
    /// Its private key, not encrypted.
    pub key: PathBuf,
}

/// How a server is started. The default: temporary, fast, on any free port, without TLS.
#[derive(Clone, Debug, Default)]
pub struct PostgresOptions {
    /// Where its data is kept; `None` for a folder that is removed afterwards. When we are root and
    /// PostgreSQL's own user cannot reach the folder, one under `/var/tmp` is used instead.
    pub directory: Option<PathBuf>,
    /// What it does for the safety of its data.
    pub durability: Durability,
    /// Its certificate.
    pub tls: Option<PostgresTls>,
    /// The port to use if it is free; a kept folder remembers its last one by itself.
    pub port: Option<u16>,
    /// Its log; `None` for a file beside the data.
    pub log: Option<PathBuf>,
    /// Further settings, as in `postgresql.conf`.
    pub settings: Vec<(String, String)>,
    /// For giving up early.
    pub control: Control,
}
