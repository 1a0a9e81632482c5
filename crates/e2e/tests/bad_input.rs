//! Bad input gets a clear answer and never harms its neighbours.

use anyhow::ensure;
use chrono::{TimeDelta, Utc};
use e2e::{Binary, World, eventually};
use monitor_core::event::SCHEMA;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Headers as _;
use rdkafka::{ClientConfig, Message as _};
use serde_json::json;

#[tokio::test]
async fn every_bad_environment_variable_is_named_at_once() -> anyhow::Result<()> {
    let mut world = World::bare().await?;
    world.environment.clear();
    for (name, value) in [
        ("DATABASE_URL", "mysql://monitor:hunter2@h/d"),
        ("KAFKA_BROKER", "localhost:9092"),
        ("KAFKA_SECURITY_PROTOCOL", "tls"),
        ("CHECKER_MAX_IN_FLIGHT", "lots"),
        ("CHECKER_REGION", "Europe North"),
        ("SINK_BATCH_MAX_WAIT", "soon"),
        ("SINK_GROOP", "x"),
        ("LOG_FORMAT", "xml"),
    ] {
        world.set(name, value);
    }
    let common = [
        "KAFKA_BROKERS",
        "KAFKA_BROKER",
        "KAFKA_SECURITY_PROTOCOL",
        "LOG_FORMAT",
    ];
    for (binary, own) in [
        (Binary::Checker, ["CHECKER_MAX_IN_FLIGHT", "CHECKER_REGION"]),
        (Binary::Sink, ["SINK_BATCH_MAX_WAIT", "SINK_GROOP"]),
    ] {
        let refused = world.run(binary, &[])?;
        ensure!(refused.code == Some(64), "{refused:?}");
        for name in common.iter().chain(&own).chain(&["DATABASE_URL"]) {
            ensure!(
                refused.stderr.contains(name),
                "no {name} in:\n{}",
                refused.stderr
            );
        }
        ensure!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn an_unreachable_broker_or_database_is_told_and_tried_again() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let brokers = world
        .environment
        .insert("KAFKA_BROKERS".into(), "127.0.0.1:1".into());
    for binary in [Binary::Checker, Binary::Sink] {
        let service = world.start(binary)?;
        service
            .is_not_ready_because(&["kafka", "127.0.0.1:1", "refused"])
            .await?;
        service.logs("cannot reach Kafka at 127.0.0.1:1").await?;
        ensure!(service.get("/livez")?.0 == 200);
    }
    world.set("KAFKA_BROKERS", brokers.unwrap_or_default());
    world.set(
        "DATABASE_URL",
        "postgres://monitor:hunter2@127.0.0.1:1/monitor",
    );
    for binary in [Binary::Checker, Binary::Sink] {
        let service = world.start(binary)?;
        service
            .is_not_ready_because(&["database", "127.0.0.1:1"])
            .await?;
        ensure!(!service.log().contains("hunter2"), "{}", service.log());
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_topic_is_told_and_waited_for() -> anyhow::Result<()> {
    let world = World::bare().await?;
    world.admin(&["migrate"])?.success()?;
    let topic = world.environment["KAFKA_TOPIC"].clone();
    let services = [world.start(Binary::Checker)?, world.start(Binary::Sink)?];
    for service in &services {
        service
            .is_not_ready_because(&["kafka", &topic, "admin topics create"])
            .await?;
    }
    let check = world.admin(&["topics", "check"])?;
    ensure!(
        check.code == Some(1) && check.stderr.contains("admin topics create"),
        "{check:?}"
    );
    world.admin(&["topics", "create"])?.success()?;
    for service in &services {
        service.is_ready().await?;
    }
    let again = world.admin(&["topics", "create"])?.success()?;
    ensure!(again.contains("exists"), "{again}");
    let check = world.admin(&["topics", "check"])?.success()?;
    ensure!(check.contains("6 partitions"), "{check}");
    Ok(())
}

#[tokio::test]
async fn a_database_that_was_not_migrated_is_told_and_waited_for() -> anyhow::Result<()> {
    let world = World::bare().await?;
    world.admin(&["topics", "create"])?.success()?;
    let services = [world.start(Binary::Checker)?, world.start(Binary::Sink)?];
    for service in &services {
        service
            .is_not_ready_because(&["database", "admin migrate"])
            .await?;
    }
    let first = world.admin(&["migrate"])?.success()?;
    ensure!(first.contains("applied"), "{first}");
    let second = world.admin(&["migrate"])?.success()?;
    ensure!(second.contains("nothing to do"), "{second}");
    for service in &services {
        service.is_ready().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_database_newer_than_the_binary_is_told() -> anyhow::Result<()> {
    let world = World::new().await?;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (99999999, 'from the future', TRUE, '', 0)",
    )
    .execute(&world.database)
    .await?;
    for binary in [Binary::Checker, Binary::Sink] {
        world
            .start(binary)?
            .is_not_ready_because(&["database", "99999999", "upgrade"])
            .await?;
    }
    let migrate = world.admin(&["migrate"])?;
    ensure!(
        migrate.code == Some(1) && migrate.stderr.contains("99999999"),
        "{migrate:?}"
    );
    Ok(())
}

#[tokio::test]
async fn two_migrations_at_once_are_as_one() -> anyhow::Result<()> {
    let world = World::bare().await?;
    let results = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| world.admin(&["migrate"])))
            .collect();
        runs.into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect::<Vec<_>>()
    });
    let mut applied = 0;
    for result in results {
        let printed = result
            .map_err(|_| anyhow::anyhow!("a migration panicked"))??
            .success()?;
        applied += usize::from(printed.contains("applied"));
    }
    ensure!(applied == 1, "{applied} runs applied migrations");
    Ok(())
}

#[tokio::test]
async fn a_bad_site_file_imports_nothing_and_names_line_and_field() -> anyhow::Result<()> {
    let world = World::new().await?;
    let file = world.write(
        "bad.yaml",
        "sites:\n\
         - name: good\n  url: https://example.com/\n\
         - name: bad\n  url: example.com\n  interval: 10ms\n  content_regex: '('\n  \
           headers: {'bad name': x}\n  intervall: 30s\n\
         - name: good\n  url: https://example.org/\n",
    )?;
    let path = file.to_string_lossy();
    let refused = world.admin(&["sites", "import", &path])?;
    ensure!(refused.code == Some(1), "{refused:?}");
    for named in [
        "bad.yaml:5: url:",
        "bad.yaml:6: interval:",
        "bad.yaml:7: content_regex:",
        "bad.yaml:8: headers:",
        "bad.yaml:9: intervall: unknown field; did you mean \"interval\"?",
        "bad.yaml:10: name: \"good\" is already",
    ] {
        ensure!(
            refused.stderr.contains(named),
            "no {named} in:\n{}",
            refused.stderr
        );
    }
    let list = world.admin(&["sites", "list"])?.success()?;
    ensure!(!list.contains("good"), "{list}");
    Ok(())
}

#[tokio::test]
async fn an_import_can_be_tried_repeated_and_pruned() -> anyhow::Result<()> {
    let world = World::new().await?;
    let file = world.write(
        "a.yaml",
        "sites:\n- {name: a, url: 'http://a/'}\n- {name: b, url: 'http://b/'}\n",
    )?;
    let file = file.to_string_lossy();
    let plan = world
        .admin(&["sites", "import", "--dry-run", &file])?
        .success()?;
    ensure!(plan.contains("2 added"), "{plan}");
    ensure!(
        !world
            .admin(&["sites", "list"])?
            .success()?
            .contains("http://a/")
    );
    world.admin(&["sites", "import", &file])?.success()?;
    let again = world.admin(&["sites", "import", &file])?.success()?;
    ensure!(
        again.contains("2 unchanged") && again.contains("0 added"),
        "{again}"
    );
    let changed = world.write(
        "b.json",
        r#"{"sites": [{"name": "a", "url": "http://a/new"}]}"#,
    )?;
    let pruned = world
        .admin(&["sites", "import", "--prune", &changed.to_string_lossy()])?
        .success()?;
    ensure!(
        pruned.contains("1 changed") && pruned.contains("1 removed"),
        "{pruned}"
    );
    let list = world.admin(&["sites", "list"])?.success()?;
    ensure!(
        list.contains("http://a/new") && !list.contains("http://b/"),
        "{list}"
    );
    let exported = world.admin(&["sites", "export"])?.success()?;
    let file = world.write("c.yaml", &exported)?;
    let same = world
        .admin(&["sites", "import", "--prune", &file.to_string_lossy()])?
        .success()?;
    ensure!(
        same.contains("1 unchanged") && same.contains("0 changed"),
        "{same}"
    );
    Ok(())
}

#[tokio::test]
async fn a_site_that_was_spoilt_in_the_table_does_not_harm_its_neighbours() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.import(&[
        json!({"name": "good", "url": "http://127.0.0.1:1/", "interval": "1s"}),
        json!({"name": "spoilt", "url": "http://127.0.0.1:1/", "interval": "1s"}),
    ])?;
    sqlx::query("UPDATE sites SET url = 'nonsense' WHERE name = 'spoilt'")
        .execute(&world.database)
        .await?;
    let checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    checker.logs("spoilt").await?;
    let rows = world.stored(2).await?;
    ensure!(
        rows.iter().all(|row| row.site.as_deref() == Some("good")),
        "{rows:?}"
    );
    Ok(())
}

#[tokio::test]
async fn poison_is_put_aside_and_its_neighbours_are_stored() -> anyhow::Result<()> {
    let world = World::new().await?;
    let now = Utc::now();
    let good = |id| World::event(id, now).encode();
    let spoilt = |field: &str, value: serde_json::Value| -> anyhow::Result<Vec<u8>> {
        let mut event: serde_json::Value = serde_json::from_slice(&good(99)?)?;
        event[field] = value;
        Ok(event.to_string().into_bytes())
    };
    let poison = [
        b"not json".to_vec(),
        b"\xff\x00\xfe".to_vec(),
        Vec::new(),
        br#"{"hello": "world"}"#.to_vec(),
        spoilt("schema", json!("monitor.check.v9"))?,
        spoilt("status_code", json!(7))?,
        spoilt("checker", json!("nul \u{0} inside"))?,
        spoilt("outcome", json!("up"))?,
        spoilt("scheduled_at", json!("9999-12-31T23:59:59.000Z"))?,
        // A number that no JSON number of ours can hold.
        String::from_utf8(good(99)?)?
            .replace(r#""total":null"#, r#""total":1e400"#)
            .into_bytes(),
        vec![b'x'; 2_000_000],
        World::event(99, now + TimeDelta::days(400)).encode()?,
        format!(r#"{{"schema": "{SCHEMA}"}}"#).into_bytes(),
    ];
    let mut messages = Vec::new();
    for (id, poison) in (1..).zip(&poison) {
        messages.extend([good(id)?, poison.clone()]);
    }
    let sink = world.start_ready(Binary::Sink).await?;
    world.send(&messages).await?;
    let rows = world.stored(poison.len()).await?;
    ensure!(rows.len() == poison.len(), "{rows:?}");
    eventually("all poison is counted", || async {
        let (_, metrics) = sink.get("/metrics")?;
        let counted = metrics
            .lines()
            .filter(|line| line.starts_with("sink_dead_letters_total{"));
        let values = counted.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        let sum: usize = values.sum();
        ensure!(sum == poison.len(), "{sum} counted:\n{metrics}");
        Ok(Some(()))
    })
    .await?;
    let mut letters = dead_letters(&world, poison.len())?;
    letters.sort();
    let mut expected = poison.to_vec();
    expected.sort();
    ensure!(letters == expected, "the dead letters are not the poison");
    Ok(())
}

/// The values of the dead letters, once their headers have been looked at.
fn dead_letters(world: &World, count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let topic = &world.environment["KAFKA_TOPIC"];
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &world.environment["KAFKA_BROKERS"])
        .set("group.id", format!("{topic}-reader"))
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&[&format!("{topic}.dlq")])?;
    let mut letters = Vec::new();
    let deadline = std::time::Instant::now() + e2e::DEADLINE;
    while letters.len() < count && std::time::Instant::now() < deadline {
        let Some(Ok(message)) = consumer.poll(std::time::Duration::from_millis(200)) else {
            continue;
        };
        let headers = message
            .headers()
            .into_iter()
            .flat_map(|headers| headers.iter());
        let names: Vec<_> = headers.map(|header| header.key.to_owned()).collect();
        for name in [
            "topic",
            "partition",
            "offset",
            "exception.class.name",
            "exception.message",
        ] {
            let name = format!("__connect.errors.{name}");
            ensure!(names.contains(&name), "no {name} in {names:?}");
        }
        letters.push(message.payload().unwrap_or_default().to_vec());
    }
    ensure!(
        letters.len() == count,
        "{} of {count} dead letters",
        letters.len()
    );
    Ok(letters)
}
