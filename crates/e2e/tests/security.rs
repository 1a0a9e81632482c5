//! Mutual TLS to Kafka and verified TLS to PostgreSQL, with certificates made on the spot.

use anyhow::ensure;
use e2e::{Answer, Binary, Keys, Target, World};
use local_stack::{Postgres, PostgresOptions, PostgresTls};
use serde_json::json;
use test_servers::{Authority, Leaf, Validity};

#[tokio::test]
async fn kafka_logs_in_with_a_client_certificate_and_refuses_others() -> anyhow::Result<()> {
    let keys = Keys::new()?;
    let kafka = keys.kafka(&Leaf::of("localhost"))?;
    let target = Target::start(&[("/", Answer::ok(""))])?;
    let mut world = World::bare().await?;
    keys.log_in(
        &mut world,
        &kafka,
        &keys.authority.issue(&Leaf::of_client())?,
    )?;
    world.prepare(3)?;
    world.import(&[json!({"name": "a", "url": target.url("/"), "interval": "1s"})])?;
    let checker = world.start_ready(Binary::Checker).await?;
    let sink = world.start_ready(Binary::Sink).await?;
    world.stored(2).await?;
    for service in [checker, sink] {
        ensure!(service.terminate().await?.0 == Some(0));
    }

    let stranger = Authority::root_called("another root")?.issue(&Leaf::of_client())?;
    keys.log_in(&mut world, &kafka, &stranger)?;
    let sink = world.start(Binary::Sink)?;
    sink.is_not_ready_because(&["kafka", "KAFKA_SSL_CERT"])
        .await?;
    drop(sink);

    let expired = Leaf {
        validity: Validity::Past,
        ..Leaf::of_client()
    };
    keys.log_in(&mut world, &kafka, &keys.authority.issue(&expired)?)?;
    let sink = world.start(Binary::Sink)?;
    sink.logs("expired").await?;
    sink.is_not_ready_because(&["kafka"]).await?;
    let log = sink.log();
    ensure!(
        log.contains("KAFKA_SSL_CERT") && log.contains("service.cert"),
        "{log}"
    );
    Ok(())
}

#[tokio::test]
async fn a_broker_with_the_wrong_certificate_is_not_talked_to() -> anyhow::Result<()> {
    let keys = Keys::new()?;
    let kafka = keys.kafka(&Leaf::of("localhost"))?;
    let mut world = World::bare().await?;
    keys.log_in(
        &mut world,
        &kafka,
        &keys.authority.issue(&Leaf::of_client())?,
    )?;
    std::fs::write(
        keys.path("other.pem"),
        Authority::root_called("another root")?.pem(),
    )?;
    world.set("KAFKA_SSL_CA", keys.path("other.pem").to_string_lossy());
    let refused = world.admin(&["topics", "check"])?;
    ensure!(refused.code == Some(1), "{refused:?}");
    ensure!(
        refused.stderr.contains("KAFKA_SSL_CA"),
        "{}",
        refused.stderr
    );
    Ok(())
}

#[tokio::test]
async fn missing_key_files_are_a_bad_configuration() -> anyhow::Result<()> {
    let mut world = World::bare().await?;
    world.set("KAFKA_SECURITY_PROTOCOL", "ssl");
    world.set("KAFKA_SSL_CA", "/no/such/ca.pem");
    world.set("KAFKA_SSL_CERT", "/no/such/service.cert");
    let refused = world.run(Binary::Sink, &[])?;
    ensure!(refused.code == Some(64), "{refused:?}");
    for named in ["/no/such/ca.pem", "/no/such/service.cert", "KAFKA_SSL_KEY"] {
        ensure!(
            refused.stderr.contains(named),
            "no {named} in:\n{}",
            refused.stderr
        );
    }
    Ok(())
}

#[tokio::test]
async fn postgres_is_verified_in_full() -> anyhow::Result<()> {
    let keys = Keys::new()?;
    let (certificate, key) = keys
        .authority
        .issue(&Leaf::of("localhost"))?
        .write(&keys.path(""), "server")?;
    let postgres = Postgres::start(PostgresOptions {
        tls: Some(PostgresTls { certificate, key }),
        ..PostgresOptions::default()
    })?;
    let url = |host: &str, ca: &str| {
        let url = postgres.url().replace("127.0.0.1", host);
        let ca = keys.path(ca);
        format!("{url}?sslmode=verify-full&sslrootcert={}", ca.display())
    };
    let mut world = World::bare().await?;
    world.set("DATABASE_URL", url("localhost", "ca.pem"));
    let migrated = world.admin(&["migrate"])?.success()?;
    ensure!(migrated.contains("applied"), "{migrated}");

    world.set("DATABASE_URL", url("127.0.0.1", "ca.pem"));
    let wrong_host = world.admin(&["migrate"])?;
    ensure!(
        wrong_host.code == Some(1) && wrong_host.stderr.contains("certificate"),
        "{wrong_host:?}"
    );

    std::fs::write(
        keys.path("other.pem"),
        Authority::root_called("another root")?.pem(),
    )?;
    world.set("DATABASE_URL", url("localhost", "other.pem"));
    let wrong_authority = world.admin(&["migrate"])?;
    ensure!(
        wrong_authority.code == Some(1) && wrong_authority.stderr.contains("certificate"),
        "{wrong_authority:?}"
    );

    world.set("DATABASE_URL", url("localhost", "missing.pem"));
    let missing = world.admin(&["migrate"])?;
    ensure!(
        missing.code != Some(0) && missing.stderr.contains("missing.pem"),
        "{missing:?}"
    );
    Ok(())
}
