//! The data directory of a PostgreSQL server, and its password.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::binaries::Binaries;
use super::options::Durability;
use crate::control::Control;
use crate::process::{Process, Program};
use crate::user::ServiceUser;

/// The superuser and the database of every server started here.
pub(super) const NAME: &str = "monitor";

const INITDB_LIMIT: Duration = Duration::from_mins(2);

/// An initialised data directory.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) data: PathBuf,
    pub(super) password: String,
}

/// What a data directory is made with, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) home: &'a Path,
    pub(super) binaries: &'a Binaries,
    pub(super) user: Option<ServiceUser>,
}

impl Cluster {
    /// The one in this place, made now if there is none.
    pub(super) fn open(
        place: Place<'_>,
        durability: Durability,
        control: &Control,
    ) -> Result<Self> {
        let data = place.home.join("data");
        let password_file = place.home.join("password");
        if !data.exists() {
            write_private(&password_file, random_password()?.as_bytes(), place.user)?;
            initialise(place, &data, durability, control)?;
        }
        check_version(&data, place.binaries)?;
        let password = fs::read_to_string(&password_file)
            .with_context(|| format!("cannot read {}", password_file.display()))?;
        Ok(Self { data, password })
    }
}

/// Writes a file that only `user` (and root) can read.
pub(super) fn write_private(path: &Path, bytes: &[u8], user: Option<ServiceUser>) -> Result<()> {
    let write = || -> std::io::Result<()> {
        drop(fs::remove_file(path));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(path)?.write_all(bytes)
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    user.map_or(Ok(()), |user| user.own(path))
}

fn random_password() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// Makes the directory under another name first: a half-made one is never taken for a whole one.
fn initialise(
    place: Place<'_>,
    data: &Path,
    durability: Durability,
    control: &Control,
) -> Result<()> {
    let unfinished = place.home.join("data.unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)
            .with_context(|| format!("cannot remove {}", unfinished.display()))?;
    }
    let mut initdb = Process::start(&initdb(place, &unfinished, durability))?;
    let ended = control.poll(INITDB_LIMIT, || initdb.exited())?;
    if !ended.is_some_and(|status| status.success()) {
        bail!("initdb failed\n{}", initdb.log().tail());
    }
    fs::rename(&unfinished, data).with_context(|| format!("cannot make {}", data.display()))
}

fn initdb(place: Place<'_>, data: &Path, durability: Durability) -> Program {
    let Place { home, user, .. } = place;
    let executable = place.binaries.program("initdb");
    let program = Program::new("initdb", executable, home.join("initdb.log"))
        .args(["--no-locale", "--encoding=UTF8", "--auth=scram-sha-256"])
        .args(["--username", NAME, "--pwfile"])
        .args([home.join("password").as_path(), Path::new("--pgdata"), data])
        .directory(home)
        .user(user);
    match durability {
        Durability::Durable => program,
        Durability::FastForTests => program.args(["--no-sync"]),
    }
}

fn check_version(data: &Path, binaries: &Binaries) -> Result<()> {
    let file = data.join("PG_VERSION");
    let made_by =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let made_by = made_by.trim();
    let installed = binaries.major_version()?;
    if made_by != installed.to_string() {
        bail!(
            "{} was made by PostgreSQL {made_by}, this is {installed}: set PG_BINDIR to the programs of version {made_by}, or remove that folder (and the data in it)",
            data.display()
        );
    }
    Ok(())
}
