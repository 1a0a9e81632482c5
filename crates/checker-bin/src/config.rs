//! Command line and environment of the checker.

use std::net::SocketAddr;
use std::path::PathBuf;

use monitor_config::{Problem, Section, Variable};
use monitor_core::Region;
use monitor_probe::IpNet;
use monitor_spool::Limits;
use serde::Deserialize;

use crate::revocation;

/// Room for the largest result several times over.
const SMALLEST_SPOOL: u64 = 1 << 20;
/// Most results in the spool, however small they are.
const MOST_RESULTS: u64 = 10_000_000;

/// What the command line adds.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Check every site one time, deliver the results, and exit
    #[arg(long)]
    pub(crate) once: bool,
}

/// The checker's own settings.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CheckerSettings {
    /// Where this checker is.
    pub(crate) region: Region,
    /// Most checks at the same time.
    pub(crate) max_in_flight: usize,
    /// Most checks at the same time of one host.
    pub(crate) max_per_host: usize,
    /// Whether sites may resolve to private addresses.
    pub(crate) allow_private_targets: bool,
    /// Private networks that sites may be in.
    #[serde(default, deserialize_with = "monitor_config::list")]
    pub(crate) allowed_networks: Vec<IpNet>,
    /// Name servers to ask; the system's when empty.
    #[serde(default, deserialize_with = "monitor_config::list")]
    pub(crate) name_servers: Vec<SocketAddr>,
    /// Files and folders of certificate revocation lists.
    #[serde(default, deserialize_with = "monitor_config::list")]
    pub(crate) crl_files: Vec<PathBuf>,
    /// Folder of the spool.
    pub(crate) spool_dir: PathBuf,
    /// Most bytes of results in it.
    #[serde(deserialize_with = "monitor_config::bytes")]
    pub(crate) spool_max_size: u64,
}

impl Section for CheckerSettings {
    const PREFIX: &'static str = "CHECKER_";
    const VARIABLES: &'static [Variable] = &[
        Variable::with_default(
            "CHECKER_REGION",
            "local",
            "name of the place that this checker checks from; part of every result's identity",
        ),
        Variable::with_default(
            "CHECKER_MAX_IN_FLIGHT",
            "1000",
            "most checks at the same time",
        ),
        Variable::with_default(
            "CHECKER_MAX_PER_HOST",
            "20",
            "most checks at the same time of one host, so that a slow one delays nobody else",
        ),
        Variable::with_default(
            "CHECKER_ALLOW_PRIVATE_TARGETS",
            "false",
            "true lets sites resolve to private, loopback and other internal addresses",
        ),
        Variable::optional(
            "CHECKER_ALLOWED_NETWORKS",
            "such addresses that sites may have all the same, comma separated networks",
        )
        .example("10.0.0.0/8,fd00::/8"),
        Variable::optional(
            "CHECKER_NAME_SERVERS",
            "ip:port of the name servers to ask, comma separated, instead of the system's",
        )
        .example("192.0.2.53:53"),
        Variable::optional(
            "CHECKER_CRL_FILES",
            "certificate revocation lists, PEM or DER: files or folders of them, comma separated",
        )
        .example("/etc/aiven-monitor/crl"),
        Variable::with_default(
            "CHECKER_SPOOL_DIR",
            ".spool",
            "folder of the file that keeps results until Kafka has them; must outlive a restart",
        ),
        Variable::with_default(
            "CHECKER_SPOOL_MAX_SIZE",
            "2GiB",
            "most bytes of results in that file, which may be twice as large; beyond it the oldest are dropped",
        ),
    ];

    fn validate(&self) -> Vec<Problem> {
        let limits = [
            ("CHECKER_MAX_IN_FLIGHT", self.max_in_flight),
            ("CHECKER_MAX_PER_HOST", self.max_per_host),
        ];
        let none = limits.into_iter().filter(|(_, limit)| *limit == 0);
        let none = none.map(|(variable, _)| Problem::new(variable, "must be at least 1"));
        let tiny = self.spool_max_size < SMALLEST_SPOOL;
        let tiny = tiny.then(|| Problem::new("CHECKER_SPOOL_MAX_SIZE", "must be at least 1MiB"));
        none.chain(tiny)
            .chain(revocation::problems(&self.crl_files))
            .collect()
    }
}

impl CheckerSettings {
    /// The file that keeps results until Kafka has them: one for each region, so that checkers of
    /// several regions may share a folder.
    pub(crate) fn spool_file(&self) -> PathBuf {
        self.spool_dir.join(format!("{}.spool", self.region))
    }

    /// How much that file may hold.
    pub(crate) fn spool_limits(&self) -> Limits {
        Limits {
            bytes: self.spool_max_size,
            records: MOST_RESULTS,
        }
    }
}

/// Name of this checker in its results: the host's name and the process id.
pub(crate) fn checker_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "checker",
        host => host,
    };
    format!("{host}-{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use monitor_config::{Environment, table_mistakes, template_mistakes};
    use monitor_kafka::KafkaSettings;
    use monitor_runtime::RuntimeSettings;
    use monitor_store::DatabaseSettings;

    use super::*;

    #[test]
    fn the_table_fits_the_struct() {
        assert_eq!(table_mistakes::<CheckerSettings>(), [""; 0]);
    }

    #[test]
    fn a_revocation_list_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list.crl");
        std::fs::write(&file, "no list").unwrap();
        let file = file.to_str().unwrap();
        let environment = Environment::from_pairs([("CHECKER_CRL_FILES", file)]);
        let error = environment.load::<(CheckerSettings,)>().unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("CHECKER_CRL_FILES") && error.contains(file),
            "{error}"
        );
    }

    #[test]
    fn the_template_is_a_configuration_of_this_program() {
        type All = (
            DatabaseSettings,
            KafkaSettings,
            CheckerSettings,
            RuntimeSettings,
        );
        let template = include_str!("../../../.env.template");
        assert_eq!(template_mistakes::<All>(template), [""; 0]);
    }
}
