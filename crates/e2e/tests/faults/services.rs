//! Starting and stopping while something is in the way.

use anyhow::ensure;
use e2e::scene::{Running, SITES, Scene, ended};
use e2e::{Binary, World, eventually};
use test_servers::Traffic;

use crate::postgres::run;

#[tokio::test]
async fn a_checker_that_is_stopped_with_a_backlog_delivers_it_later() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    scene.line.set(Traffic::Refused);
    scene.checks(3 * SITES).await?;
    let made = scene.hits();
    ended(checker).await?;
    scene.line.set(Traffic::Flows);
    let checker = scene.checker().await?;
    scene.verdict(checker, sink).await?;
    let rows = scene.world.rows().await?;
    let up = rows.iter().filter(|row| row.outcome == "up").count();
    ensure!(
        up >= made,
        "{made} were up when it was stopped, {up} of all rows"
    );
    Ok(())
}

#[tokio::test]
async fn services_wait_for_a_migration_that_dies_and_is_made_again() -> anyhow::Result<()> {
    let world = World::bare().await?;
    world.admin(&["topics", "create"])?.success()?;
    let services = [
        world.start(Binary::Checker)?,
        world.start(Binary::Sink)?,
        world.start(Binary::Sink)?,
    ];
    for service in &services {
        service.is_not_ready_because(&["admin migrate"]).await?;
    }
    // The second migration finds its type in the making, and waits.
    let mut blocker = world.database.begin().await?;
    sqlx::query("CREATE TYPE outcome AS ENUM ('any')")
        .execute(&mut *blocker)
        .await?;
    let migrator = e2e::Service::start(Binary::Admin, &["migrate"], &world.environment)?;
    eventually("the migration waits", || async {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&world.database)
        .await?;
        Ok((waiting > 0).then_some(()))
    })
    .await?;
    migrator.kill().await?;
    blocker.rollback().await?;
    let migrated = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| world.admin(&["migrate"])?.success()))
            .collect();
        let runs = runs.into_iter().map(std::thread::ScopedJoinHandle::join);
        runs.collect::<Vec<_>>()
    });
    for run in migrated {
        run.map_err(|_| anyhow::anyhow!("a migration panicked"))??;
    }
    for service in services {
        ended(Running::when_ready(service).await?).await?;
    }
    run(&world.database, "SELECT count(*) FROM checks").await
}
