//! `cargo xtask test`: everything that must hold, on a stack of its own.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;
use std::{env, thread};

use anyhow::{Context as _, Result, anyhow};
use local_stack::{Control, Kafka, Postgres};

use crate::dashboard::{self, Dashboard};
use crate::{checks, console, ground, packages, schemathesis, sqlx_prepare, step, workspace};

/// Settings of the monitor in the caller's environment belong to another system.
const OUR_PREFIXES: [&str; 9] = [
    "API_",
    "CHECKER_",
    "DATABASE_",
    "KAFKA_",
    "LOG",
    "OPS_",
    "RETENTION_",
    "SHUTDOWN_",
    "SINK_",
];

/// All checks and tests; with `args`, only `cargo test` with these arguments.
pub(crate) fn run(args: &[String], control: &Control) -> Result<ExitCode> {
    let started = Instant::now();
    packages::ensure(packages::FOR_BUILDING, control)?;
    packages::ensure(packages::FOR_KAFKA, control)?;
    packages::ensure(packages::FOR_TESTS, control)?;
    let root = workspace::root()?;
    let page = Dashboard::find(&root, control)?;
    let (postgres, kafka) = thread::scope(|scope| {
        let services = scope.spawn(|| ground::start_temporary(control));
        let prepared = prepare(&root, page.as_ref(), args, control);
        let services = services
            .join()
            .map_err(|_| anyhow!("a service's start panicked"));
        prepared?;
        services?
    })?;
    let mut tests = tests(&root, args, &postgres, &kafka);
    if let Some(page) = &page {
        with_browser(&mut tests, page);
    }
    if let Some(program) = schemathesis::find_or_install(control)? {
        tests.env("TEST_SCHEMATHESIS", program);
    }
    console::say("▸ test");
    let status = step::status(&mut tests, control).context("cannot run the tests")?;
    let took = console::elapsed(started);
    if status.success() {
        console::say(&format!("✔ {} passed ({took})", what_ran(args)));
        return Ok(ExitCode::SUCCESS);
    }
    console::say(&format!("✘ tests failed (after {took}); see above"));
    Ok(step::exit_code(status))
}

/// What can be told without the services, and all compilation.
fn prepare(
    root: &Path,
    page: Option<&Dashboard>,
    args: &[String],
    control: &Control,
) -> Result<()> {
    if let Some(page) = page {
        page.build(control)?;
    }
    if args.is_empty() {
        page.map_or(Ok(()), |page| page.check(control))?;
        checks::formatting(root, control)?;
        checks::lints(root, control)?;
        checks::documentation(root, control)?;
        sqlx_prepare::run(true, control)?;
    }
    // The end-to-end tests run the programs themselves.
    let mut build = ground::build_command(root, false);
    step::run("build the programs", &mut build, control)?;
    let mut build = cargo_test(root, &["--no-run"], args);
    step::run("build the tests", &mut build, control)
}

/// The tests that open the dashboard take a browser.
fn with_browser(tests: &mut Command, page: &Dashboard) {
    let Some(browser) = dashboard::find_browser() else {
        console::say("! there is no Chromium, so the dashboard is not tried in a browser");
        return;
    };
    tests
        .env("TEST_BROWSER", browser)
        .env("TEST_NODE", page.node());
}

fn tests(root: &Path, args: &[String], postgres: &Postgres, kafka: &Kafka) -> Command {
    let mut command = cargo_test(root, &[], args);
    for (name, _) in env::vars_os() {
        let ours = name.to_str().is_some_and(is_ours);
        if ours {
            command.env_remove(&name);
        }
    }
    command
        .env("DATABASE_URL", postgres.url())
        .env("TEST_KAFKA_BROKERS", kafka.brokers())
        .env("SQLX_OFFLINE", "true")
        // The end-to-end tests mostly wait; one for each core would take minutes more.
        .env("RUST_TEST_THREADS", "8")
        // An error of a test says what was waited for; forty frames of the runtime below it do not.
        .env("RUST_LIB_BACKTRACE", "0");
    command
}

fn is_ours(name: &str) -> bool {
    OUR_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// `options` come first: what follows `--` in `args` is for the tests themselves.
fn cargo_test(root: &Path, options: &[&str], args: &[String]) -> Command {
    let mut command = Command::new(workspace::cargo());
    command.current_dir(root).arg("test").args(options);
    if args.is_empty() {
        // One run shows all that fails.
        command.args(["--workspace", "--no-fail-fast"]);
    }
    command.args(args);
    command
}

fn what_ran(args: &[String]) -> String {
    if args.is_empty() {
        return "all checks and tests".to_owned();
    }
    format!("cargo test {}", args.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_own_settings_are_known_by_their_names() {
        assert!(is_ours("KAFKA_BROKERS"));
        assert!(is_ours("LOG_FORMAT"));
        assert!(!is_ours("HOME"));
    }
}
