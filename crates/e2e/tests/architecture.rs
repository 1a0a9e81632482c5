//! The import rules of the workspace, read from its manifests.

use std::collections::BTreeSet;

use anyhow::ensure;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Which of our crates each of our crates may use. What is not listed is not allowed.
const ALLOWED: &[(&str, &[&str])] = &[
    ("monitor-core", &[]),
    ("monitor-auth", &[]),
    ("monitor-config", &[]),
    ("local-stack", &[]),
    ("monitor-spool", &[]),
    ("test-servers", &[]),
    ("demo-targets", &["local-stack"]),
    (
        "bench",
        &[
            "local-stack",
            "monitor-config",
            "monitor-core",
            "monitor-kafka",
            "test-servers",
        ],
    ),
    ("monitor-probe", &["monitor-config", "monitor-core"]),
    ("monitor-kafka", &["monitor-config", "monitor-core"]),
    ("monitor-site-file", &["monitor-core"]),
    ("monitor-store", &["monitor-config", "monitor-core"]),
    ("monitor-runtime", &["monitor-config"]),
    (
        "checker-bin",
        &[
            "monitor-config",
            "monitor-core",
            "monitor-kafka",
            "monitor-probe",
            "monitor-runtime",
            "monitor-spool",
            "monitor-store",
        ],
    ),
    (
        "sink-bin",
        &[
            "monitor-config",
            "monitor-core",
            "monitor-kafka",
            "monitor-runtime",
            "monitor-store",
        ],
    ),
    (
        "api-bin",
        &[
            "monitor-auth",
            "monitor-config",
            "monitor-core",
            "monitor-probe",
            "monitor-runtime",
            "monitor-site-file",
            "monitor-store",
        ],
    ),
    (
        "admin-bin",
        &[
            "monitor-auth",
            "monitor-config",
            "monitor-core",
            "monitor-kafka",
            "monitor-probe",
            "monitor-runtime",
            "monitor-site-file",
            "monitor-store",
        ],
    ),
    ("xtask", &["local-stack"]),
    (
        "e2e",
        &[
            "local-stack",
            "monitor-config",
            "monitor-core",
            "monitor-kafka",
            "monitor-spool",
            "test-servers",
        ],
    ),
];

/// Which of our crates may use an outside crate directly, outside of tests.
const RESERVED: &[(&str, &[&str])] = &[
    ("rdkafka", &["monitor-kafka", "e2e"]),
    ("sqlx", &["monitor-store", "e2e"]),
    ("redb", &["monitor-spool"]),
    ("hyper", &["monitor-probe", "e2e"]),
    (
        "tokio-rustls",
        &["monitor-probe", "demo-targets", "test-servers"],
    ),
    ("rustls-webpki", &["monitor-probe"]),
    ("hickory-resolver", &["monitor-probe"]),
    ("hickory-proto", &["test-servers"]),
    ("axum", &["monitor-runtime", "api-bin"]),
    ("envy", &["monitor-config"]),
    ("dotenvy", &["monitor-config"]),
];

/// What a pure crate must not even know of.
const IMPURE: [&str; 7] = [
    "tokio", "hyper", "sqlx", "rdkafka", "axum", "clap", "tracing",
];

fn metadata() -> anyhow::Result<Metadata> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    Ok(MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()?)
}

fn dependencies(package: &Package) -> BTreeSet<&str> {
    let normal = |kind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
    let dependencies = package
        .dependencies
        .iter()
        .filter(|dependency| normal(dependency.kind));
    dependencies
        .map(|dependency| dependency.name.as_str())
        .collect()
}

#[test]
fn arrows_between_our_crates_point_down() -> anyhow::Result<()> {
    let metadata = metadata()?;
    let ours: BTreeSet<_> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let rule = ALLOWED.iter().find(|(crate_name, _)| *crate_name == name);
        let Some((_, allowed)) = rule else {
            anyhow::bail!("{name} has no import rule")
        };
        for dependency in dependencies(package).intersection(&ours) {
            ensure!(
                allowed.contains(dependency),
                "{name} must not use {dependency}"
            );
        }
    }
    ensure!(
        ours.len() == ALLOWED.len(),
        "a rule names a crate that does not exist"
    );
    Ok(())
}

#[test]
fn each_outside_system_is_known_to_one_crate() -> anyhow::Result<()> {
    for package in &metadata()?.packages {
        for (outside, allowed) in RESERVED {
            let name = package.name.as_str();
            let used = dependencies(package).contains(outside);
            ensure!(
                !used || allowed.contains(&name),
                "{name} must not use {outside}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_core_is_pure() -> anyhow::Result<()> {
    for package in &metadata()?.packages {
        if package.name.as_str() == "monitor-core" {
            for impure in IMPURE {
                ensure!(
                    !dependencies(package).contains(impure),
                    "monitor-core uses {impure}"
                );
            }
        }
    }
    Ok(())
}
