//! Each thing that is needed, how to tell that it is there, and what it is called where.

use std::process::Command;

use local_stack::{Binaries, find_executable, find_service, jars, java};

/// One thing that is needed.
#[derive(Debug)]
pub(crate) struct Requirement {
    pub(crate) name: &'static str,
    pub(crate) met: fn() -> bool,
    /// Debian and Ubuntu; of alternatives separated by `|`, the first that exists.
    pub(super) apt: &'static str,
    /// Fedora and its relatives.
    pub(super) dnf: &'static str,
    /// Alpine.
    pub(super) apk: &'static str,
    /// Homebrew.
    pub(super) brew: &'static str,
}

/// For compiling librdkafka and TLS, and for the database.
pub(crate) const FOR_BUILDING: &[Requirement] = &[
    Requirement {
        name: "a C compiler",
        met: || find_executable("cc").is_some(),
        apt: "build-essential",
        dnf: "gcc",
        apk: "build-base",
        brew: "gcc",
    },
    Requirement {
        name: "make",
        met: || find_executable("make").is_some(),
        apt: "make",
        dnf: "make",
        apk: "make",
        brew: "make",
    },
    Requirement {
        name: "pkg-config",
        met: || find_executable("pkg-config").is_some(),
        apt: "pkg-config",
        dnf: "pkgconf-pkg-config",
        apk: "pkgconf",
        brew: "pkgconf",
    },
    Requirement {
        name: "the headers of OpenSSL",
        met: has_openssl_headers,
        apt: "libssl-dev",
        dnf: "openssl-devel",
        apk: "openssl-dev",
        brew: "openssl@3",
    },
    Requirement {
        name: "PostgreSQL",
        met: || Binaries::find().is_ok(),
        apt: "postgresql",
        dnf: "postgresql-server",
        apk: "postgresql",
        brew: "postgresql@17",
    },
];

/// For running Apache Kafka, and for fetching it the first time.
pub(crate) const FOR_KAFKA: &[Requirement] = &[
    Requirement {
        name: "Java 17 or newer",
        met: || java::find().is_ok(),
        apt: "openjdk-17-jre-headless|openjdk-21-jre-headless|openjdk-25-jre-headless",
        dnf: "java-21-openjdk-headless",
        apk: "openjdk21-jre-headless",
        brew: "openjdk",
    },
    Requirement {
        name: "Maven",
        met: || jars::are_cached() || find_executable("mvn").is_some(),
        apt: "maven",
        dnf: "maven",
        apk: "maven",
        brew: "maven",
    },
];

/// For tests that look at how others do what we do.
pub(crate) const FOR_TESTS: &[Requirement] = &[
    NGINX,
    Requirement {
        name: "the command ip",
        // It builds networks out of namespaces, which only Linux has.
        met: || !cfg!(target_os = "linux") || find_service("ip").is_some(),
        apt: "iproute2",
        dnf: "iproute",
        apk: "iproute2",
        brew: "iproute2mac",
    },
    Requirement {
        name: "PgBouncer",
        met: || find_service("pgbouncer").is_some(),
        apt: "pgbouncer",
        dnf: "pgbouncer",
        apk: "pgbouncer",
        brew: "pgbouncer",
    },
    Requirement {
        name: "strace",
        // It lets system calls fail, which only Linux has.
        met: || !cfg!(target_os = "linux") || find_executable("strace").is_some(),
        apt: "strace",
        dnf: "strace",
        apk: "strace",
        brew: "strace",
    },
    Requirement {
        name: "the command openssl",
        met: || find_executable("openssl").is_some(),
        apt: "openssl",
        dnf: "openssl",
        apk: "openssl",
        brew: "openssl@3",
    },
];

/// For benchmarks: what is measured, and the floor. Peers that are not there are skipped.
pub(crate) const FOR_BENCHMARKS: &[Requirement] = &[NGINX, WRK];

/// For load on the API alone.
pub(crate) const FOR_LOAD: &[Requirement] = &[WRK];

const WRK: Requirement = Requirement {
    name: "wrk",
    met: || find_executable("wrk").is_some(),
    apt: "wrk",
    dnf: "wrk",
    apk: "wrk",
    brew: "wrk",
};

const NGINX: Requirement = Requirement {
    name: "nginx",
    met: || find_service("nginx").is_some(),
    apt: "nginx",
    dnf: "nginx",
    apk: "nginx",
    brew: "nginx",
};

fn has_openssl_headers() -> bool {
    let mut probe = Command::new("pkg-config");
    probe.args(["--exists", "openssl"]);
    probe.status().is_ok_and(|status| status.success())
}
