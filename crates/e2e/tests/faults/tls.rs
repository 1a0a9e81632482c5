//! Certificates that are not, or not any more, what they should be.

use std::fs;

use anyhow::ensure;
use e2e::judge::{Kept, canary};
use e2e::scene::{Running, SITES, Scene, ended, furnish, verdict};
use e2e::{Binary, Broker, Keys, Target, World, eventually};
use local_stack::{Postgres, PostgresOptions, PostgresTls};
use test_servers::{Identity, Leaf, Validity};

const PATH: &str = "/?canary-of-a-query";

/// A certificate that was a client's once.
fn expired(keys: &Keys) -> anyhow::Result<Identity> {
    keys.authority.issue(&Leaf {
        validity: Validity::Past,
        ..Leaf::of_client()
    })
}

async fn checks_go_on(target: &Target) -> anyhow::Result<()> {
    let before = target.hits(PATH);
    eventually("checks go on", || async {
        Ok((target.hits(PATH) >= before + 2 * SITES).then_some(()))
    })
    .await
}

#[tokio::test]
async fn results_wait_while_certificates_are_not_accepted() -> anyhow::Result<()> {
    let keys = Keys::new()?;
    let mut kafka = keys.kafka(&Leaf::of("localhost"))?;
    let mut world = World::bare().await?;
    let good = keys.authority.issue(&Leaf::of_client())?;
    keys.log_in(&mut world, &kafka, &good)?;
    world.prepare(3)?;
    let target = furnish(&mut world)?;

    keys.log_in(&mut world, &kafka, &expired(&keys)?)?;
    let checker = world.start(Binary::Checker)?;
    checker.is_not_ready_because(&["kafka"]).await?;
    checks_go_on(&target).await?;
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

/// Waits until both have said this so often.
async fn both_log(services: [&Running; 2], text: &str, times: usize) -> anyhow::Result<()> {
    eventually(&format!("{times} times {text:?}"), || async {
        let counts = services.map(|each| each.service.log().matches(text).count());
        let all = counts.iter().all(|count| *count >= times);
        ensure!(all, "checker and sink: {counts:?}");
        Ok(Some(()))
    })
    .await
}

#[tokio::test]
async fn certificates_for_kafka_that_are_replaced_are_used_without_a_restart() -> anyhow::Result<()>
{
    let mut keys = Keys::new()?;
    let mut kafka = keys.kafka(&Leaf::of("localhost"))?;
    let mut world = World::bare().await?;
    let good = |keys: &Keys| keys.authority.issue(&Leaf::of_client());
    keys.log_in(&mut world, &kafka, &good(&keys)?)?;
    world.prepare(3)?;
    let target = furnish(&mut world)?;

    // Nobody gets in, until there is a good one.
    keys.log_in(&mut world, &kafka, &expired(&keys)?)?;
    let checker = world.start(Binary::Checker)?;
    let sink = world.start(Binary::Sink)?;
    for service in [&checker, &sink] {
        service.is_not_ready_because(&["kafka"]).await?;
    }
    checks_go_on(&target).await?;
    keys.log_in(&mut world, &kafka, &good(&keys)?)?;
    canary(&world).await?;
    let (checker, sink) = (
        Running::when_ready(checker).await?,
        Running::when_ready(sink).await?,
    );

    // From a good one to the next, which is half written at first.
    let Identity { chain, key } = good(&keys)?;
    fs::write(keys.path("service.cert"), &chain[..chain.len() / 2])?;
    both_log([&checker, &sink], "certificates for Kafka as last read", 1).await?;
    canary(&world).await?;
    let replaced = "certificates for Kafka were replaced";
    let times = sink.service.log().matches(replaced).count() + 1;
    keys.log_in(&mut world, &kafka, &Identity { chain, key })?;
    both_log([&checker, &sink], replaced, times).await?;
    canary(&world).await?;

    // The broker goes over to another authority, and then so do its clients.
    keys.replace_authority("another root")?;
    keys.show(&Leaf::of("localhost"))?;
    kafka.restart()?;
    for running in [&checker, &sink] {
        let service = &running.service;
        service
            .is_not_ready_because(&["kafka", "KAFKA_SSL"])
            .await?;
    }
    keys.log_in(&mut world, &kafka, &good(&keys)?)?;
    canary(&world).await?;
    verdict(&world, &kafka.brokers(), (checker, sink), Kept::Everything).await?;
    Ok(())
}

#[tokio::test]
async fn an_authority_of_the_database_that_is_replaced_is_used_without_a_restart()
-> anyhow::Result<()> {
    let mut keys = Keys::new()?;
    let issue = |keys: &Keys| {
        let identity = keys.authority.issue(&Leaf::of("localhost"))?;
        identity.write(&keys.path(""), "server")
    };
    let (certificate, key) = issue(&keys)?;
    let mut postgres = Postgres::start(PostgresOptions {
        tls: Some(PostgresTls { certificate, key }),
        ..PostgresOptions::default()
    })?;
    let broker = Broker::shared()?;
    let mut world = World::on(&postgres.url(), broker.brokers()).await?;
    let url = world.environment["DATABASE_URL"].replace("127.0.0.1", "localhost");
    let ca = keys.path("ca.pem");
    world.set(
        "DATABASE_URL",
        format!("{url}?sslmode=verify-full&sslrootcert={}", ca.display()),
    );
    let scene = Scene::of(world, broker)?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    canary(&scene.world).await?;

    let old = fs::read(&ca)?;
    keys.replace_authority("another root")?;
    let new = fs::read(&ca)?;
    issue(&keys)?;
    fs::write(&ca, old)?;
    postgres.restart()?;
    for running in [&checker, &sink] {
        let service = &running.service;
        service
            .is_not_ready_because(&["database", "certificate"])
            .await?;
    }
    fs::write(&ca, new)?;
    scene.verdict(checker, sink).await?;
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
