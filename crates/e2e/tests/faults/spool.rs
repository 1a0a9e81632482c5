//! Faults of the checker's spool: the program dies beside it, the disk is full, the file is spoilt.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e::judge::{self, Kept, canary};
use e2e::scene::{Running, SITES, Scene, ended};
use e2e::{Binary, Service, Signal};
use nix::sys::signal::kill;
use nix::unistd::Pid;
use test_servers::Traffic;

fn file(scene: &Scene) -> PathBuf {
    let folder = &scene.world.environment["CHECKER_SPOOL_DIR"];
    Path::new(folder).join("local.spool")
}

#[tokio::test]
async fn a_checker_that_is_killed_at_any_moment_keeps_its_promises() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut checker = scene.checker().await?;
    let sink = scene.sink().await?;
    scene.more_rows(SITES).await?;
    let mut promised = Vec::new();
    for round in 0..5 {
        // With the broker out of reach, what is promised is only in the spool.
        let traffic = [
            Traffic::Flows,
            Traffic::Refused,
            Traffic::AnswersCutAfter(0),
        ];
        scene.line.set(traffic[round % 3]);
        let moment = Duration::from_millis(fastrand::u64(300..2_500));
        tokio::time::sleep(moment).await;
        checker.service.kill().await?;
        let (events, _) = judge::spooled(&file(&scene))?;
        let results = events.iter().filter(|event| event.started_at.is_some());
        promised.extend(results.map(|event| (event.site_id.0, event.scheduled_at)));
        scene.line.set(Traffic::Flows);
        checker = scene.checker().await?;
    }
    ensure!(!promised.is_empty(), "the spool was always empty");
    scene.verdict(checker, sink).await?;
    let rows: Vec<(i64, chrono::DateTime<chrono::Utc>)> =
        sqlx::query_as("SELECT site_id, scheduled_at FROM checks WHERE outcome <> 'missed'")
            .fetch_all(&scene.world.database)
            .await?;
    let broken: Vec<_> = promised.iter().filter(|one| !rows.contains(one)).collect();
    ensure!(broken.is_empty(), "promised and not stored: {broken:?}");
    Ok(())
}

#[tokio::test]
async fn a_spool_that_is_spoilt_is_set_aside() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let sink = scene.sink().await?;
    for spoil in [truncate, overwrite, empty] {
        let checker = scene.checker().await?;
        canary(&scene.world).await?;
        scene.line.set(Traffic::Refused);
        scene.checks(2 * SITES).await?;
        checker.service.kill().await?;
        scene.line.set(Traffic::Flows);
        spoil(&file(&scene))?;
        let checker = scene.checker().await?;
        canary(&scene.world).await?;
        ended(checker).await?;
    }
    let checker = scene.checker().await?;
    let folder = fs::read_dir(&scene.world.environment["CHECKER_SPOOL_DIR"])?;
    let names = folder.flatten().map(|entry| entry.file_name());
    let aside = names.filter(|name| name.to_string_lossy().contains("corrupt"));
    ensure!(aside.count() >= 2, "nothing was set aside");
    scene.verdict_of(checker, sink, Kept::Something).await?;
    Ok(())
}

fn truncate(file: &Path) -> anyhow::Result<()> {
    let length = fs::metadata(file)?.len();
    fs::OpenOptions::new()
        .write(true)
        .open(file)?
        .set_len(length / 3)?;
    Ok(())
}

fn overwrite(file: &Path) -> anyhow::Result<()> {
    let mut bytes = fs::read(file)?;
    for byte in bytes.iter_mut().skip(4_096).step_by(97) {
        *byte ^= 0x5a;
    }
    Ok(fs::write(file, bytes)?)
}

fn empty(file: &Path) -> anyhow::Result<()> {
    Ok(fs::write(file, b"this is no spool")?)
}

/// Starts a checker whose spool is on a small disk of its own, which nobody else sees; `None` where
/// that is not allowed.
fn on_a_small_disk(scene: &Scene) -> anyhow::Result<Option<Service>> {
    let folder = &scene.world.environment["CHECKER_SPOOL_DIR"];
    fs::create_dir_all(folder)?;
    let setup = "mount -t tmpfs -o size=8m none \"$0\" && exec \"$@\"";
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", setup, folder]);
    let mut attempt = Command::new("unshare");
    attempt.args([
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        setup,
        folder,
        "true",
    ]);
    if !attempt.status().is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let environment = &scene.world.environment;
    Service::start_through(unshare, Binary::Checker, &[], environment).map(Some)
}

/// Lets every attempt of a process to bring something to its disk fail, until the returned tracer
/// ends; `None` where a process may not be traced.
fn broken_disk(process: u32) -> anyhow::Result<Option<Child>> {
    let mut tracer = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e"])
        .arg("inject=fsync,fdatasync:error=EIO")
        .args(["-o", "/dev/null", "-p", &process.to_string()])
        .stderr(Stdio::null())
        .spawn()?;
    let state = format!("/proc/{process}/status");
    loop {
        if tracer.try_wait()?.is_some() {
            return Ok(None);
        }
        let by_it = format!("TracerPid:\t{}\n", tracer.id());
        if fs::read_to_string(&state)?.contains(&by_it) {
            return Ok(Some(tracer));
        }
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_disk_that_fails_is_told_and_results_wait_in_memory() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    let Some(mut tracer) = broken_disk(checker.service.id())? else {
        return Ok(());
    };
    scene.line.set(Traffic::Refused);
    checker.counts("checker_spool_errors_total", 1.0).await?;
    let told = ["spool", "Input/output error"];
    checker.service.is_not_ready_because(&told).await?;
    scene.checks(2 * SITES).await?;
    scene.line.set(Traffic::Flows);
    // They are sent from memory while the disk is away.
    canary(&scene.world).await?;
    kill(Pid::from_raw(tracer.id().cast_signed()), Signal::SIGTERM)?;
    tracer.wait()?;
    checker.service.is_ready().await?;
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn a_disk_that_is_full_is_told_and_results_wait_in_memory() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let Some(checker) = on_a_small_disk(&scene)? else {
        return Ok(());
    };
    let (checker, sink) = (Running::when_ready(checker).await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    // Its own view of the folder is the only one that has the disk.
    let folder = file(&scene).parent().context("no folder")?.to_owned();
    let seen = format!("/proc/{}/root{}", checker.service.id(), folder.display());
    let ballast = Path::new(&seen).join("ballast");
    scene.line.set(Traffic::Refused);
    let filled = fs::write(&ballast, vec![0; 16 << 20]);
    ensure!(filled.is_err(), "the disk is larger than it should be");
    checker.counts("checker_spool_errors_total", 1.0).await?;
    checker.service.is_not_ready_because(&["spool"]).await?;
    scene.checks(2 * SITES).await?;
    fs::remove_file(&ballast)?;
    scene.line.set(Traffic::Flows);
    scene.verdict(checker, sink).await?;
    Ok(())
}
