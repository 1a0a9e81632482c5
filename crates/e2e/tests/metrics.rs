//! `admin metrics`: what is stored of a site, for people and for programs.

use anyhow::{Context as _, ensure};
use e2e::{Answer, Binary, Target, World};
use serde_json::{Value, json};

/// A world in which some checks of three sites are stored, and nothing runs any more.
async fn checked() -> anyhow::Result<World> {
    let (world, target) = (
        World::new().await?,
        Target::start(&[("/", Answer::ok("hello"))])?,
    );
    let site = |name: &str, rule: &Value| {
        let mut site = json!({"name": name, "url": target.url("/"), "interval": "1s"});
        site["content_regex"] = rule.clone();
        site
    };
    world.import(&[
        site("matching", &json!("hello")),
        site("other", &json!("bye")),
        site("any", &Value::Null),
    ])?;
    let checker = world.start_ready(Binary::Checker).await?;
    let sink = world.start_ready(Binary::Sink).await?;
    world.stored(15).await?;
    for service in [checker, sink] {
        service.terminate().await?;
    }
    world.run(Binary::Sink, &["--once"])?.success()?;
    Ok(world)
}

async fn count(world: &World, site: &str) -> anyhow::Result<usize> {
    let rows = world.rows().await?;
    let of_site = |row: &&e2e::Row| row.site.as_deref() == Some(site);
    Ok(rows.iter().filter(of_site).count())
}

fn metrics(world: &World, arguments: &[&str]) -> anyhow::Result<Value> {
    let arguments = [&["metrics", "--json"], arguments].concat();
    let printed = world.admin(&arguments)?.success()?;
    Ok(serde_json::from_str(&printed)?)
}

fn items<'a>(metrics: &'a Value, list: &str) -> anyhow::Result<&'a Vec<Value>> {
    metrics[list].as_array().context("not a list")
}

#[tokio::test]
async fn metrics_of_a_site_can_be_filtered_and_paged() -> anyhow::Result<()> {
    let world = checked().await?;
    for (site, status, content, successes) in [
        ("matching", 200, "matched", true),
        ("other", 200, "unmatched", false),
        ("any", 200, "not_checked", true),
    ] {
        let all = count(&world, site).await?;
        let metrics_of = |outcome| metrics(&world, &[site, "--outcome", outcome]);
        let found = metrics_of("all")?;
        for list in ["response_times", "status_codes", "content_matches"] {
            ensure!(items(&found, list)?.len() == all, "{list}: {found}");
        }
        let codes = items(&found, "status_codes")?;
        ensure!(codes.iter().all(|code| code["status_code"] == status));
        let contents = items(&found, "content_matches")?;
        ensure!(contents.iter().all(|match_| match_["content"] == content));
        let total = &items(&found, "response_times")?[0]["timings_us"]["total"];
        ensure!(total.as_u64().is_some_and(|micros| micros > 0), "{found}");

        let (passed, failed) = (metrics_of("success")?, metrics_of("failure")?);
        let lengths = [&passed, &failed].map(|found| items(found, "status_codes").map(Vec::len));
        let [passed, failed] = lengths;
        let expected = if successes { (all, 0) } else { (0, all) };
        ensure!((passed?, failed?) == expected, "{site}");
    }

    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let mut arguments = vec!["metrics", "matching", "--limit", "2"];
        arguments.extend(cursor.as_deref().map(|_| "--after"));
        arguments.extend(cursor.as_deref());
        let page = world.admin(&arguments)?.success()?;
        let lines = page.lines().skip(1);
        seen.extend(
            lines
                .filter(|line| line.contains("matched"))
                .map(str::to_owned),
        );
        let next = page
            .lines()
            .find_map(|line| line.strip_prefix("more: --after "));
        cursor = next.map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    ensure!(seen.len() == count(&world, "matching").await?, "{seen:#?}");
    ensure!(
        seen.is_sorted() && seen.windows(2).all(|pair| pair[0] != pair[1]),
        "{seen:#?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_with_a_reason() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.import(&[json!({"name": "a", "url": "http://127.0.0.1:1/"})])?;
    for (arguments, code, named) in [
        (&["metrics", "b"][..], 1, "no site \"b\""),
        (&["metrics", "a", "--from", "yesterday"], 64, "--from"),
        (
            &["metrics", "a", "--from", "1h", "--to", "2h"],
            1,
            "not after its start",
        ),
        (&["metrics", "a", "--from", "20years"], 1, "3660 days"),
        (&["metrics", "a", "--limit", "0"], 64, "--limit"),
        (&["metrics", "a", "--after", "here"], 64, "INSTANT/REGION"),
    ] {
        let refused = world.admin(arguments)?;
        ensure!(
            refused.code == Some(code) && refused.stderr.contains(named),
            "{arguments:?}: {refused:?}"
        );
    }
    let nothing = world.admin(&["metrics", "a"])?.success()?;
    ensure!(nothing.contains("no checks"), "{nothing}");
    Ok(())
}
