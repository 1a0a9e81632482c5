//! Peers that are written in Go: built once from their published modules, and kept in
//! `target/bench`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::{Program, find_executable};

use crate::finish;
use crate::ground::Ground;
use crate::stack::kept_folder;

/// Compiling one of them takes minutes on two busy cores.
const BUILD_LIMIT: Duration = Duration::from_mins(15);
/// Where modules come from, and how they are verified, is the caller's to say.
const PASSED_ON: [&str; 7] = [
    "GOPROXY",
    "GOPRIVATE",
    "GOSUMDB",
    "GONOSUMDB",
    "GOTOOLCHAIN",
    "HTTPS_PROXY",
    "SSL_CERT_FILE",
];

/// A program of a module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(super) name: &'static str,
    pub(super) module: &'static str,
    pub(super) version: &'static str,
    pub(super) package: &'static str,
}

/// A program that has been built.
#[derive(Debug)]
pub(crate) struct GoProgram(pub(super) PathBuf);

impl Source {
    /// The one of an earlier run, else a new one.
    pub(crate) fn prepare(self, ground: &Ground) -> Result<GoProgram> {
        let Self { name, version, .. } = self;
        let folder = kept_folder()?.join(format!("{name}-{version}"));
        let program = folder.join(name);
        if !program.is_file() {
            let go = find_executable("go").context("go is not installed")?;
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("go.mod"), self.module_file())?;
            let mut build = Program::new("go build", go, ground.stack.log("go"))
                .directory(&folder)
                .args(["build", "-mod=mod", "-o", name, self.package]);
            for variable in PASSED_ON {
                if let Some(value) = env::var_os(variable) {
                    build = build.env(variable, value);
                }
            }
            finish::run(&build, BUILD_LIMIT, &ground.stack.control)
                .with_context(|| format!("cannot build {name} {version}"))?;
        }
        Ok(GoProgram(program))
    }

    /// `go install MODULE@VERSION` would do, but asks for the list of all versions, which not every
    /// proxy has.
    fn module_file(self) -> String {
        let Self {
            name,
            module,
            version,
            ..
        } = self;
        format!("module {name}-as-published\n\ngo 1.24\n\nrequire {module} {version}\n")
    }
}
