//! Faults between the checker and the broker, and of the checker itself.

use std::time::Duration;

use anyhow::ensure;
use e2e::{Binary, Signal};
use test_servers::Traffic;

use e2e::scene::{Running, SITES, Scene};

#[tokio::test]
async fn a_broker_that_is_away_at_the_start_only_delays_results() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.line.set(Traffic::Refused);
    let checker = scene.world.start(Binary::Checker)?;
    scene.checks(2 * SITES).await?;
    checker.is_not_ready_because(&["kafka"]).await?;
    scene.line.set(Traffic::Flows);
    let (checker, sink) = (Running::when_ready(checker).await?, scene.sink().await?);
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn a_broker_that_goes_away_leaves_no_hole() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    for traffic in [Traffic::Refused, Traffic::Swallowed] {
        scene.line.set(traffic);
        scene.checks(3 * SITES).await?;
        scene.line.set(Traffic::Flows);
        e2e::judge::canary(&scene.world).await?;
    }
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_append_is_asked_for_again() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.undisturbed_sink().await?);
    scene.more_rows(SITES).await?;
    for _ in 0..4 {
        scene.line.set(Traffic::AnswersCutAfter(0));
        scene.checks(SITES).await?;
        scene.line.set(Traffic::Flows);
        scene.checks(SITES).await?;
    }
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn a_broker_that_is_slow_holds_nobody_up() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.undisturbed_sink().await?);
    scene.more_rows(SITES).await?;
    for traffic in [
        Traffic::Delayed(Duration::from_secs(2)),
        Traffic::Limited(2_000),
    ] {
        scene.line.set(traffic);
        scene.checks(5 * SITES).await?;
    }
    scene.line.set(Traffic::Flows);
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn a_checker_that_is_frozen_tells_what_it_has_missed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    checker.service.signal(Signal::SIGSTOP)?;
    let frozen = chrono::Utc::now();
    e2e::eventually("some slots go by", || async {
        Ok((chrono::Utc::now() - frozen > chrono::TimeDelta::seconds(4)).then_some(()))
    })
    .await?;
    checker.service.signal(Signal::SIGCONT)?;
    scene.verdict(checker, sink).await?;
    let rows = scene.world.rows().await?;
    let missed = rows.iter().filter(|row| row.outcome == "missed").count();
    ensure!(missed >= 2 * SITES, "{missed} missed");
    Ok(())
}

#[tokio::test]
async fn two_checkers_of_one_region_make_one_row_of_each_slot() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let spool = scene.world.folder().join("another spool");
    let spool = spool.to_string_lossy();
    let second = scene
        .world
        .start_with(Binary::Checker, &[("CHECKER_SPOOL_DIR", &spool)])?;
    let (first, second) = (scene.checker().await?, Running::when_ready(second).await?);
    let sink = scene.sink().await?;
    scene.more_rows(3 * SITES).await?;
    let (code, log) = second.service.terminate().await?;
    ensure!(code == Some(0), "{code:?}\n{log}");
    let account = scene.verdict(first, sink).await?;
    ensure!(account.repeated() >= 2 * SITES, "{account:?}");
    Ok(())
}
