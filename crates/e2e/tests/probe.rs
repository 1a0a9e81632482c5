//! `admin probe`: one check, told to people and to programs.

use anyhow::ensure;
use e2e::{Answer, Binary, Finished, Target, World};
use monitor_core::{CheckEvent, FailureKind, Outcome};
use serde_json::json;

struct Probes {
    world: World,
    target: Target,
}

impl Probes {
    async fn new() -> anyhow::Result<Self> {
        let mut world = World::bare().await?;
        // It needs neither database nor broker.
        world.environment.clear();
        let answers = [
            ("/", Answer::ok("hello")),
            ("/bad?token=s3cret", Answer::status(500)),
        ];
        let target = Target::start(&answers)?;
        Ok(Self { world, target })
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        let arguments = [&["probe"], arguments].concat();
        self.world.run(Binary::Admin, &arguments)
    }

    fn event(&self, arguments: &[&str]) -> anyhow::Result<(Option<i32>, CheckEvent)> {
        let run = self.run(&[arguments, &["--json"]].concat())?;
        Ok((run.code, serde_json::from_str(&run.stdout)?))
    }
}

#[tokio::test]
async fn people_see_the_phases_and_the_verdict() -> anyhow::Result<()> {
    let probes = Probes::new().await?;
    let up = probes.run(&[&probes.target.url("/"), "--allow-private"])?;
    ensure!(up.code == Some(0), "{up:?}");
    for text in [
        "connect",
        "first byte",
        "transfer",
        "total",
        "█",
        "UP",
        "status 200 · 5 bytes",
    ] {
        ensure!(up.stdout.contains(text), "no {text} in\n{}", up.stdout);
    }
    ensure!(!up.stdout.contains('\u{1b}'), "colours without a terminal");

    let down = probes.run(&[&probes.target.url("/bad?token=s3cret"), "--allow-private"])?;
    let why = "DOWN  unexpected_status in assertion: status 500, expected 200-299";
    ensure!(
        down.code == Some(1) && down.stdout.contains(why),
        "{}",
        down.stdout
    );
    ensure!(!down.stdout.contains("s3cret"), "{}", down.stdout);
    Ok(())
}

#[tokio::test]
async fn programs_get_the_event_and_a_code() -> anyhow::Result<()> {
    let probes = Probes::new().await?;
    let url = probes.target.url("/");
    let (code, event) = probes.event(&[&url, "--allow", "127.0.0.0/8"])?;
    ensure!((code, event.outcome) == (Some(0), Outcome::Up), "{event:?}");
    ensure!(
        event.timings_us.total > event.timings_us.connect,
        "{event:?}"
    );

    let (code, event) = probes.event(&[&url])?;
    let kind = event.failure.map(|failure| failure.kind);
    ensure!((code, kind) == (Some(1), Some(FailureKind::AddressNotAllowed)));
    Ok(())
}

#[tokio::test]
async fn a_site_file_is_checked_with_all_its_rules() -> anyhow::Result<()> {
    let probes = Probes::new().await?;
    let unusable = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    let https = probes.target.url("/").replace("http:", "https:");
    for (site, code, told) in [
        (json!({"content_regex": "hello"}), 0, "content matched"),
        (json!({"content_regex": "bye"}), 1, "content_unmatched"),
        (
            json!({"max_response_time": "0s"}),
            0,
            "DEGRADED  slow_response",
        ),
        (
            json!({"url": https, "tls_ca": unusable}),
            2,
            "ERROR  configuration",
        ),
    ] {
        let mut full = json!({"url": probes.target.url("/")});
        for (field, value) in site.as_object().into_iter().flatten() {
            full[field] = value.clone();
        }
        let file = probes
            .world
            .write("site.json", &json!({"sites": [full]}).to_string())?;
        let run = probes.run(&["--site", &file.to_string_lossy(), "--allow-private"])?;
        ensure!(
            run.code == Some(code) && run.stdout.contains(told),
            "{site}: {run:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_probed_is_refused() -> anyhow::Result<()> {
    let probes = Probes::new().await?;
    for (arguments, code, told) in [
        (&[][..], 64, "required"),
        (&["example.com"], 1, "url: not a URL"),
        (&["--site", "/no/such/file"], 1, "cannot read /no/such/file"),
        (&["http://h/", "--allow", "10.0.0.0/40"], 64, "--allow"),
    ] {
        let run = probes.run(arguments)?;
        ensure!(
            run.code == Some(code) && run.stderr.contains(told),
            "{run:?}"
        );
    }
    Ok(())
}
