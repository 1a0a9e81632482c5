//! Dead letters: how they come to be, and what an operator does with them.

use anyhow::{Context as _, ensure};
use chrono::Utc;
use e2e::{Binary, World, eventually, raw, topic};
use rdkafka::Offset;
use serde_json::Value;

use super::{broker, metrics};

async fn run(world: &World, sql: &'static str) -> anyhow::Result<()> {
    sqlx::raw_sql(sql).execute(&world.database).await?;
    Ok(())
}

fn event(site: i64) -> anyhow::Result<Vec<u8>> {
    Ok(World::event(site, Utc::now()).encode()?)
}

fn letters(world: &World) -> anyhow::Result<Vec<Value>> {
    let listed = world
        .admin(&["dead-letters", "list", "--json"])?
        .success()?;
    Ok(serde_json::from_str(&listed)?)
}

/// The `PARTITION/OFFSET` of a letter.
fn place(letter: &Value) -> anyhow::Result<&str> {
    letter["letter"].as_str().context("no place")
}

#[tokio::test]
async fn the_one_event_that_is_refused_is_put_aside_and_can_be_replayed() -> anyhow::Result<()> {
    let world = World::new().await?;
    let refuse = "ALTER TABLE check_results ADD CONSTRAINT lucky CHECK (site_id <> 13)";
    run(&world, refuse).await?;
    let events: Vec<_> = (1..=50).map(event).collect::<Result<_, _>>()?;
    world.send(&events).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(world.rows().await?.len() == 49);

    let all = letters(&world)?;
    ensure!(all.len() == 1, "{all:?}");
    let letter = &all[0];
    for (field, expected) in [
        ("stage", "TASK_PUT"),
        ("class", "SQLSTATE:23514"),
        ("replayed", "false"),
        ("attempts", "1"),
    ] {
        let found = letter[field].to_string();
        ensure!(found.trim_matches('"') == expected, "{field} is {found}");
    }
    let shown = world.admin(&["dead-letters", "show", place(letter)?])?;
    let shown = shown.success()?;
    ensure!(
        shown.contains("\"site_id\":13") && shown.contains("lucky"),
        "{shown}"
    );

    run(&world, "ALTER TABLE check_results DROP CONSTRAINT lucky").await?;
    let replayed = world.admin(&["dead-letters", "replay", place(letter)?])?;
    let replayed = replayed.success()?;
    ensure!(
        replayed.contains(&format!("sent to {}", broker::topic(&world))),
        "{replayed}"
    );
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(world.rows().await?.len() == 50);
    ensure!(letters(&world)?[0]["replayed"] == true);
    let again = world
        .admin(&["dead-letters", "replay", "--all"])?
        .success()?;
    ensure!(again.trim() == "0 replayed", "{again}");
    Ok(())
}

#[tokio::test]
async fn a_letter_that_fails_again_counts_its_attempts_and_keeps_its_bytes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let junk = b"\x1b[31mnot json\x00\xff".to_vec();
    world.send(&[junk]).await?;
    for _ in 0..2 {
        world.run(Binary::Sink, &["--once"])?.success()?;
        let reason = ["dead-letters", "replay", "--all", "--reason", "not_json"];
        world.admin(&reason)?.success()?;
    }
    let other = ["dead-letters", "replay", "--all", "--reason", "no_value"];
    ensure!(world.admin(&other)?.success()?.trim() == "0 replayed");
    let all = letters(&world)?;
    let attempts: Vec<_> = all
        .iter()
        .map(|letter| letter["attempts"].as_i64())
        .collect();
    ensure!(attempts == [Some(1), Some(2)], "{all:?}");

    let last = all.last().context("no letter")?;
    let shown = world.admin(&["dead-letters", "show", "--json", place(last)?])?;
    let shown: Value = serde_json::from_str(&shown.success()?)?;
    ensure!(
        shown["value"]["hex"] == "1b5b33316d6e6f74206a736f6e00ff",
        "{shown}"
    );
    let headers = shown["headers"].as_array().context("no headers")?;
    let names: Vec<_> = headers
        .iter()
        .filter_map(|header| header["name"].as_str())
        .collect();
    let once: std::collections::BTreeSet<_> = names.iter().collect();
    ensure!(once.len() == names.len(), "headers pile up: {names:?}");

    // Nothing of it reaches the terminal as it is.
    for command in [
        vec!["dead-letters", "list"],
        vec!["dead-letters", "show", place(last)?],
    ] {
        let printed = world.admin(&command)?.success()?;
        let control = |c: char| c.is_control() && c != '\n';
        ensure!(!printed.contains(control), "{printed:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_letter_has_the_headers_of_its_message_and_all_of_kafka_connect() -> anyhow::Result<()> {
    let world = World::new().await?;
    world
        .send_with(&[b"junk".to_vec()], &[("traceparent", b"00-1")])
        .await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    let all = letters(&world)?;
    let shown = world
        .admin(&["dead-letters", "show", place(&all[0])?])?
        .success()?;
    for header in [
        "traceparent: 00-1",
        "x-dlq-attempts: 1",
        "x-schema-id: ",
        "x-app-version: ",
    ] {
        ensure!(shown.contains(header), "no {header} in {shown}");
    }
    for name in [
        "topic",
        "partition",
        "offset",
        "connector.name",
        "task.id",
        "stage",
        "class.name",
        "exception.class.name",
        "exception.message",
    ] {
        let header = format!("__connect.errors.{name}: ");
        ensure!(shown.contains(&header), "no {header} in {shown}");
    }
    Ok(())
}

#[tokio::test]
async fn a_header_whose_name_is_no_text_stops_nobody_and_is_kept() -> anyhow::Result<()> {
    let world = World::new().await?;
    let headers: [(&[u8], &[u8]); 3] = [(b"first", b"1"), (b"\xff\xfe", b"2"), (b"last", b"3")];
    let kafka = &world.environment["KAFKA_BROKERS"];
    topic::begins_empty(kafka, broker::topic(&world), 1).await?;
    raw::append(kafka, broker::topic(&world), b"junk", &headers)?;
    broker::send(&world, 0, &[event(1)?]).await?;
    let sink = world.run(Binary::Sink, &["--once"])?;
    ensure!(sink.code == Some(0), "{sink:?}");
    ensure!(sink.stderr.contains("names are not UTF-8"), "{sink:?}");
    ensure!(world.rows().await?.len() == 1);

    let all = letters(&world)?;
    let letter = place(&all[0])?;
    let shown = world.admin(&["dead-letters", "show", "--json", letter])?;
    let shown: Value = serde_json::from_str(&shown.success()?)?;
    let names = shown["headers"].as_array().context("no headers")?;
    let names: Vec<_> = names.iter().map(|header| &header["name"]).collect();
    ensure!(
        names[..2] == ["first", "last"] && names[2] == "__connect.errors.topic",
        "{names:?}"
    );
    ensure!(shown["unreadable_headers"] == 1, "{shown}");
    let shown = world.admin(&["dead-letters", "show", letter])?.success()?;
    ensure!(shown.contains("(1 more, "), "{shown}");
    let replayed = world.admin(&["dead-letters", "replay", letter])?;
    let replayed = replayed.success()?;
    ensure!(replayed.contains("without 1 headers"), "{replayed}");
    Ok(())
}

#[tokio::test]
async fn a_partition_waits_while_its_letters_cannot_be_put_aside() -> anyhow::Result<()> {
    let world = World::bare().await?;
    world.prepare(2)?;
    broker::limit_dead_letters(&world, "10").await?;
    let sink = world.start_ready(Binary::Sink).await?;
    broker::send(&world, 0, &[b"junk".to_vec(), event(1)?]).await?;
    sink.is_not_ready_because(&["dead letters", "dlq"]).await?;
    // The other partition goes on.
    broker::send(&world, 1, &[event(2)?]).await?;
    eventually("the other partition is stored", || async {
        let rows: (i64,) = sqlx::query_as("SELECT count(*) FROM checks WHERE site_id = 2")
            .fetch_one(&world.database)
            .await?;
        Ok((rows.0 == 1).then_some(()))
    })
    .await?;
    ensure!(broker::committed(&world)? == Offset::Invalid);
    broker::limit_dead_letters(&world, "1000000").await?;
    sink.is_ready().await?;
    metrics::becomes(&sink, "sink_dead_letters_total", 1.0).await?;
    ensure!(world.stored(2).await?.len() == 2);
    Ok(())
}

#[tokio::test]
async fn commands_say_what_they_cannot_find() -> anyhow::Result<()> {
    let world = World::new().await?;
    ensure!(letters(&world)?.is_empty());
    for arguments in [["show", "0/7"], ["show", "99/0"], ["replay", "0/7"]] {
        let refused = world.admin(&["dead-letters", arguments[0], arguments[1]])?;
        ensure!(
            refused.code == Some(1) && refused.stderr.contains("no letter"),
            "{refused:?}"
        );
    }
    let misspelt = world.admin(&["dead-letters", "show", "seven"])?;
    ensure!(misspelt.code == Some(64), "{misspelt:?}");
    Ok(())
}
