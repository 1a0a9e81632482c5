//! `admin dead-letters`.

mod place;
mod show;
mod text;

use anyhow::{Context as _, ensure};
use chrono::SecondsFormat;
use clap::{Args, Subcommand};
use monitor_config::Environment;
use monitor_kafka::KafkaSettings;
use monitor_kafka::dead_letters::{self, Letter, Replayer};
use serde_json::{Value, json};

use self::place::Place;
use self::text::{escaped, escaped_bytes};
use crate::output::{print, table};
use crate::settings;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the latest letters, oldest first
    List(List),
    /// Show the headers and the value of one
    Show(Show),
    /// Send messages back to the topic that they came from
    ///
    /// A letter stays where it is and is listed as replayed from then on. What is stored already is
    /// not stored twice
    Replay(Replay),
}

#[derive(Args)]
pub(crate) struct List {
    /// Most letters to list
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Show {
    /// Partition and offset in the dead-letter topic, as `list` prints them
    #[arg(value_name = "PARTITION/OFFSET")]
    letter: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Replay {
    /// Which letters, as `list` prints them
    #[arg(
        value_name = "PARTITION/OFFSET",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    letters: Vec<Place>,
    /// All that were not replayed yet
    #[arg(long)]
    all: bool,
    /// With --all: only those that were put aside for this reason
    #[arg(long, requires = "all")]
    reason: Option<String>,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(command: &Command, environment: &Environment) -> anyhow::Result<()> {
    let kafka = settings::load::<KafkaSettings>(environment)?;
    kafka.log_warnings();
    match command {
        Command::List(arguments) => list(&kafka, arguments).await,
        Command::Show(arguments) => {
            let letter = find(&kafka, arguments.letter).await?;
            print(if arguments.json {
                serde_json::to_string_pretty(&show::json(&letter))?
            } else {
                show::text(&letter)
            })
        }
        Command::Replay(arguments) => replay(&kafka, arguments).await,
    }
}

async fn list(kafka: &KafkaSettings, arguments: &List) -> anyhow::Result<()> {
    let limit = usize::try_from(arguments.limit)?;
    let letters = dead_letters::latest(kafka, limit).await?;
    if arguments.json {
        let all: Vec<Value> = letters.iter().map(summary).collect();
        return print(serde_json::to_string_pretty(&all)?);
    }
    let rows: Vec<_> = letters.iter().map(row).collect();
    let heading = ["LETTER", "TIME", "FROM", "STAGE", "REASON", "KEY", "STATE"];
    print(table(heading, &rows))
}

fn time(letter: &Letter) -> Option<String> {
    let time = letter.time?;
    Some(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn origin(letter: &Letter) -> Option<String> {
    let origin = letter.origin.as_ref()?;
    let (topic, partition, offset) = (&origin.topic, origin.partition, origin.offset);
    Some(format!("{topic}/{partition}/{offset}"))
}

fn row(letter: &Letter) -> [String; 7] {
    let told = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), escaped);
    let key = letter.key.as_deref();
    [
        Place::of(letter).to_string(),
        told(time(letter).as_deref()),
        told(origin(letter).as_deref()),
        told(letter.stage.as_deref()),
        told(letter.class.as_deref()),
        key.map_or_else(|| "-".to_owned(), escaped_bytes),
        if letter.replayed { "replayed" } else { "" }.to_owned(),
    ]
}

fn summary(letter: &Letter) -> Value {
    let origin = letter.origin.as_ref().map(|origin| {
        json!({"topic": origin.topic, "partition": origin.partition, "offset": origin.offset})
    });
    json!({
        "letter": Place::of(letter).to_string(),
        "time": time(letter),
        "origin": origin,
        "stage": letter.stage,
        "class": letter.class,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "key": letter.key.as_deref().map(text::json),
        "replayed": letter.replayed,
    })
}

async fn find(kafka: &KafkaSettings, place: Place) -> anyhow::Result<Letter> {
    let found = dead_letters::find(kafka, place.partition, place.offset).await?;
    let topic = kafka.dead_letter_topic();
    found
        .with_context(|| format!("{topic} has no letter at {place}; see `admin dead-letters list`"))
}

async fn replay(kafka: &KafkaSettings, arguments: &Replay) -> anyhow::Result<()> {
    let places = if arguments.all {
        let all = dead_letters::unreplayed(kafka, arguments.reason.clone()).await?;
        all.into_iter().map(Place::from).collect()
    } else {
        arguments.letters.clone()
    };
    // All are looked for before the first is sent: a misspelt one changes nothing.
    if !arguments.all {
        for place in &places {
            find(kafka, *place).await?;
        }
    }
    let mut replayer = Replayer::new(kafka)?;
    for place in &places {
        let letter = find(kafka, *place).await?;
        ensure!(
            letter.value.is_some() || letter.origin.is_some(),
            "{place} is not a dead letter"
        );
        replayer.replay(&letter).await?;
        print(told(kafka, &letter, arguments.json))?;
    }
    if arguments.json {
        return Ok(());
    }
    print(format!("{} replayed", places.len()))
}

fn told(kafka: &KafkaSettings, letter: &Letter, as_json: bool) -> String {
    let place = Place::of(letter);
    if as_json {
        return json!({"letter": place.to_string(), "to": kafka.topic, "again": letter.replayed})
            .to_string();
    }
    let again = if letter.replayed { ", once more" } else { "" };
    let less = match letter.unreadable_headers {
        0 => String::new(),
        count => format!(", without {count} headers whose names are not UTF-8"),
    };
    format!("{place} sent to {}{again}{less}", kafka.topic)
}
