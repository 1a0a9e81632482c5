//! A whole service as a process: command line, environment, signals, exit codes.
//!
//! The test starts its own executable again, with [`ROLE`] in the environment; that process then
//! is the service under test.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong here fails the test"
)]

mod fixture;

use std::future::pending;
use std::process::ExitCode;

use fixture::{Fixture, Running, stderr};
use monitor_config::{Secret, Section, Variable};
use monitor_runtime::{Context, Service, retry_until_ready, service_main};
use nix::sys::signal::Signal;
use serde::Deserialize;

const ROLE: &str = "SERVICE_UNDER_TEST";

#[derive(Deserialize)]
struct Settings {
    mode: Mode,
    token: Secret,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Forever,
    Stuck,
    Failing,
    Panicking,
}

impl Section for Settings {
    const PREFIX: &'static str = "DEMO_";
    const VARIABLES: &'static [Variable] = &[
        Variable::with_default("DEMO_MODE", "forever", "what to do"),
        Variable::required("DEMO_TOKEN", "a secret").secret(),
    ];
}

#[derive(clap::Args)]
struct Arguments {
    /// Do it one time
    #[arg(long)]
    once: bool,
}

async fn run(arguments: Arguments, settings: Settings, context: Context) -> anyhow::Result<()> {
    let demo = context.readiness.component("demo");
    let connect = || async { Ok::<_, std::io::Error>(()) };
    if retry_until_ready(&demo, &context.stop, connect)
        .await
        .is_none()
    {
        return Ok(());
    }
    anyhow::ensure!(settings.token.expose() == "hunter2", "the token is wrong");
    let stop = context.stop.clone();
    context.spawn("worker", async move {
        match settings.mode {
            Mode::Forever => stop.cancelled().await,
            Mode::Stuck => pending().await,
            Mode::Failing => anyhow::bail!("out of paper"),
            Mode::Panicking => panic!("out of ink"),
        }
        Ok(())
    });
    if !arguments.once {
        context.stop.cancelled().await;
    }
    Ok(())
}

const TOKEN: (&str, &str) = ("DEMO_TOKEN", "hunter2");

fn help_lists_the_environment_and_is_a_success() {
    let output = Fixture::new().output(&["--help"], &[]);
    let help = String::from_utf8(output.stdout).unwrap();
    for text in [
        "Usage: demo",
        "--once",
        "--healthcheck",
        "DEMO_TOKEN",
        "OPS_LISTEN",
        "LOG_FORMAT",
    ] {
        assert!(help.contains(text), "{text} is not in {help}");
    }
    assert_eq!(output.status.code(), Some(0));
}

fn version_names_the_service() {
    let output = Fixture::new().output(&["--version"], &[]);
    assert_eq!(output.stdout, b"demo 1.2.3\n");
}

fn a_bad_command_line_exits_with_64() {
    let output = Fixture::new().output(&["--twice"], &[TOKEN]);
    assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
    assert!(stderr(&output).contains("--twice"));
}

fn a_bad_configuration_exits_with_64_and_names_every_problem() {
    let fixture = Fixture::new();
    std::fs::write(
        fixture.path().join(".env"),
        "LOG_FORMAT=json\nnot an assignment\n",
    )
    .unwrap();
    let variables = [
        ("DEMO_MOOD", "x"),
        ("LOG", "inof"),
        ("SHUTDOWN_GRACE", "soon"),
    ];
    let output = fixture.output(&[], &variables);
    assert_eq!(output.status.code(), Some(64));
    let message = stderr(&output);
    for text in [
        "bad configuration, 5 problems:",
        ".env line 2: not NAME=value",
        "DEMO_TOKEN is not set",
        "DEMO_MOOD is not a known variable; did you mean DEMO_MODE?",
        "LOG=inof: expected",
        "SHUTDOWN_GRACE=soon: expected",
    ] {
        assert!(message.contains(text), "{text} is not in {message}");
    }
}

fn real_variables_win_over_the_env_file() {
    let fixture = Fixture::new();
    let text = "DEMO_TOKEN=hunter2\nDEMO_MODE=nonsense\nLOG_FORMAT=json\n";
    std::fs::write(fixture.path().join(".env"), text).unwrap();
    let output = fixture.output(&["--once"], &[("DEMO_MODE", "forever")]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).lines().all(|line| line.starts_with('{')),
        "{}",
        stderr(&output)
    );
    assert!(!stderr(&output).contains("hunter2"));
}

fn a_one_off_run_ends_by_itself() {
    let output = Fixture::new().output(&["--once"], &[TOKEN]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

fn a_failure_is_logged_and_exits_with_1() {
    let output = Fixture::new().output(&[], &[TOKEN, ("DEMO_MODE", "failing")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("out of paper"),
        "{}",
        stderr(&output)
    );
}

fn a_panic_is_logged_and_exits_with_1() {
    let output = Fixture::new().output(&[], &[TOKEN, ("DEMO_MODE", "panicking")]);
    assert_eq!(output.status.code(), Some(1));
    let log = stderr(&output);
    assert!(
        log.contains("panic: out of ink") && log.contains("service/main.rs:"),
        "{log}"
    );
    assert!(
        log.lines()
            .all(|line| line.contains("ERROR") || line.contains("INFO")),
        "{log}"
    );
}

fn an_address_in_use_is_explained_and_exits_with_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Fixture::new().output(&[], &[TOKEN, ("OPS_LISTEN", &address)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("cannot listen on OPS_LISTEN={address}")));
}

fn sigterm_and_sigint_are_clean_stops() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut running = Running::start(&Fixture::new(), &[TOKEN]);
        running.wait_for("ops.address=127.0.0.1:");
        running.signal(signal);
        running.wait_for(signal.as_str());
        assert_eq!(running.exit_code(), Some(0));
    }
}

fn a_second_signal_ends_a_stop_that_hangs() {
    let variables = [TOKEN, ("DEMO_MODE", "stuck"), ("SHUTDOWN_GRACE", "1h")];
    let mut running = Running::start(&Fixture::new(), &variables);
    running.wait_for("ops.address");
    running.signal(Signal::SIGTERM);
    running.wait_for("stopping");
    running.signal(Signal::SIGTERM);
    assert!(running.wait_for("aborted").contains("worker"));
    assert_eq!(running.exit_code(), Some(1));
}

fn the_grace_period_bounds_the_stop() {
    let variables = [TOKEN, ("DEMO_MODE", "stuck"), ("SHUTDOWN_GRACE", "50ms")];
    let mut running = Running::start(&Fixture::new(), &variables);
    running.wait_for("ops.address");
    running.signal(Signal::SIGTERM);
    running.wait_for("grace period over");
    assert_eq!(running.exit_code(), Some(1));
}

fn the_health_check_asks_the_running_service() {
    let fixture = Fixture::new();
    let mut running = Running::start(&fixture, &[TOKEN]);
    let line = running.wait_for("ops.address=");
    let address = line.trim().split("ops.address=").nth(1).unwrap();
    running.wait_for("ready");
    let listen = ("OPS_LISTEN", address);
    assert_eq!(
        fixture.output(&["--healthcheck"], &[listen]).status.code(),
        Some(0)
    );

    running.signal(Signal::SIGTERM);
    assert_eq!(running.exit_code(), Some(0));
    let output = fixture.output(&["--healthcheck"], &[listen]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("cannot ask"),
        "{}",
        stderr(&output)
    );
}

macro_rules! run_all {
    ($filter:expr, $($test:ident)*) => {$(
        if stringify!($test).contains($filter) {
            $test();
            println!("test {} ... ok", stringify!($test));
        }
    )*};
}

fn main() -> ExitCode {
    if std::env::var_os(ROLE).is_some() {
        return service_main(&Service::new("demo", "1.2.3", "is tested"), run);
    }
    let filter = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with('-'))
        .unwrap_or_default();
    run_all! {
        &filter,
        help_lists_the_environment_and_is_a_success
        version_names_the_service
        a_bad_command_line_exits_with_64
        a_bad_configuration_exits_with_64_and_names_every_problem
        real_variables_win_over_the_env_file
        a_one_off_run_ends_by_itself
        a_failure_is_logged_and_exits_with_1
        a_panic_is_logged_and_exits_with_1
        an_address_in_use_is_explained_and_exits_with_1
        sigterm_and_sigint_are_clean_stops
        a_second_signal_ends_a_stop_that_hangs
        the_grace_period_bounds_the_stop
        the_health_check_asks_the_running_service
    }
    ExitCode::SUCCESS
}
