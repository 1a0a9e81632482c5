//! Certificates that are not, or not any more, what they should be.

use anyhow::ensure;
use e2e::judge::{Kept, canary};
use e2e::scene::{Running, SITES, ended, furnish, verdict};
use e2e::{Binary, Keys, World, eventually};
use test_servers::{Leaf, Validity};

const PATH: &str = "/?canary-of-a-query";

#[tokio::test]
async fn results_wait_while_certificates_are_not_accepted() -> anyhow::Result<()> {
    let keys = Keys::new()?;
    let mut kafka = keys.kafka(&Leaf::of("localhost"))?;
    let mut world = World::bare().await?;
    let good = keys.authority.issue(&Leaf::of_client())?;
    keys.log_in(&mut world, &kafka, &good)?;
    world.prepare(3)?;
    let target = furnish(&mut world)?;

    let expired = Leaf {
        validity: Validity::Past,
        ..Leaf::of_client()
    };
    keys.log_in(&mut world, &kafka, &keys.authority.issue(&expired)?)?;
    let checker = world.start(Binary::Checker)?;
    checker.is_not_ready_because(&["kafka"]).await?;
    let before = target.hits(PATH);
    eventually("checks go on", || async {
        Ok((target.hits(PATH) >= before + 2 * SITES).then_some(()))
    })
    .await?;
    // The new files are read by the next start, which finds the results of this one.
    keys.log_in(&mut world, &kafka, &good)?;
    let (code, log) = checker.terminate().await?;
    ensure!(
        code == Some(0) && log.contains("KAFKA_SSL_CERT"),
        "{code:?}\n{log}"
    );
    let checker = Running::when_ready(world.start(Binary::Checker)?).await?;
    let sink = Running::when_ready(world.start(Binary::Sink)?).await?;
    canary(&world).await?;

    // A broker under another name, then under its own again.
    keys.show(&Leaf::of("another.test"))?;
    kafka.restart()?;
    for running in [&checker, &sink] {
        let service = &running.service;
        service
            .is_not_ready_because(&["kafka", "KAFKA_SSL_CA"])
            .await?;
    }
    keys.show(&Leaf::of("localhost"))?;
    kafka.restart()?;
    canary(&world).await?;
    verdict(&world, &kafka.brokers(), (checker, sink), Kept::Everything).await?;
    Ok(())
}

#[tokio::test]
async fn a_database_without_encryption_is_not_talked_to() -> anyhow::Result<()> {
    let keys = Keys::new()?;
    let mut world = World::bare().await?;
    let url = world.environment["DATABASE_URL"].clone();
    let ca = keys.path("ca.pem");
    let verified = format!("{url}?sslmode=verify-full&sslrootcert={}", ca.display());
    world.set("DATABASE_URL", verified);
    world.admin(&["topics", "create"])?.success()?;
    for binary in [Binary::Checker, Binary::Sink] {
        let service = world.start(binary)?;
        service.is_not_ready_because(&["database", "TLS"]).await?;
        ended(Running::of(service)?).await?;
    }
    Ok(())
}
