//! Public status pages.

use anyhow::{Context as _, ensure};
use chrono::{TimeDelta, Utc};
use e2e::{Api, Binary, Client, Reply, World};
use local_stack::{Postgres, PostgresOptions};
use monitor_core::{Failure, FailureKind, Phase};
use scraper::{Html, Selector};
use serde_json::json;

const PAGES: (&str, &str) = ("API_STATUS_PAGES", "public,shop");

/// Three sites with secrets in everything that is not their name: one is up, one was down and is again,
/// one must not be shown.
async fn stored() -> anyhow::Result<World> {
    let world = World::new().await?;
    let site = |name: &str, tags: &[&str]| {
        json!({
            "name": name, "url": "https://canary.example/path?token=canary", "tags": tags,
            "method": "POST", "headers": {"Authorization": "canary"}, "body": "canary",
            "content_regex": "canary",
        })
    };
    let secret = site("canary of another tag", &["internal"]);
    world.import(&[
        site("Fine", &["public"]),
        site("Broken", &["public", "shop"]),
        secret,
    ])?;
    let now = Utc::now() - TimeDelta::seconds(5);
    let ago = |minutes| now - TimeDelta::minutes(minutes);
    let failing = |id, at| {
        let mut event = World::down(id, at);
        let (kind, phase) = (FailureKind::TlsHandshake, Some(Phase::Tls));
        event.failure = Some(Failure::new(kind, phase, "canary of a failure"));
        event
    };
    let mut events = Vec::new();
    for (name, id) in sites(&world).await? {
        let checks = match name.as_str() {
            "Fine" => vec![World::up(id, now)],
            "Broken" => vec![
                failing(id, ago(90)),
                World::up(id, ago(60)),
                failing(id, ago(4)),
                failing(id, now),
            ],
            _ => vec![failing(id, now)],
        };
        for check in checks {
            events.push(check.encode()?);
        }
    }
    world.send(&events).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    Ok(world)
}

async fn sites(world: &World) -> anyhow::Result<Vec<(String, i64)>> {
    let query = sqlx::query_as("SELECT name, id FROM sites");
    Ok(query.fetch_all(&world.database).await?)
}

/// The page that an answer has to be, without a mistake in it.
fn page(reply: &Reply) -> anyhow::Result<Html> {
    ensure!(reply.status == 200, "{reply:?}");
    let html = Html::parse_document(&reply.text());
    ensure!(html.errors.is_empty(), "{:?}", html.errors);
    Ok(html)
}

fn texts(html: &Html, selector: &str) -> anyhow::Result<Vec<String>> {
    let selector = Selector::parse(selector).map_err(|error| anyhow::anyhow!("{error}"))?;
    let found = html.select(&selector);
    Ok(found.map(|element| element.text().collect()).collect())
}

/// No page has a word of what is not for everybody.
async fn tells_no_secret(client: &Client) -> anyhow::Result<()> {
    let secrets = [
        "canary", "http://", "https://", "tls", "503", "local", "region", "<script",
    ];
    for path in ["/status", "/status/public", "/status/shop"] {
        let text = client.get(path).await?.text().to_lowercase();
        for secret in secrets {
            ensure!(!text.contains(secret), "{secret} in {path}: {text}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn everybody_sees_the_sites_of_chosen_tags_and_nothing_else_of_them() -> anyhow::Result<()> {
    let world = stored().await?;
    let made = world
        .admin(&["tokens", "create", "all", "--scope", "write"])?
        .success()?;
    let grant = made
        .split_whitespace()
        .find(|word| word.starts_with("all:"));
    let tokens = ("API_TOKENS", grant.context("no grant")?);
    let title = ("API_STATUS_TITLE", "Example <& Co>");
    let Api { client, service } = Api::start(&world, &[PAGES, tokens, title]).await?;
    client
        .get("/api/v1/overview")
        .await?
        .problem(401, "unauthorized")?;

    let reply = client.get("/status/public").await?;
    let public = page(&reply)?;
    ensure!(texts(&public, "ul.sites h3")? == ["Broken", "Fine"]);
    ensure!(texts(&public, "ul.sites p.state")? == ["Down", "Up"]);
    ensure!(texts(&public, ".verdict .big")? == ["1 of 2 sites is down"]);
    ensure!(texts(&public, "h1")? == ["Example <& Co>public"]);
    ensure!(texts(&public, ".sites path title")?.len() == 180);
    let current = texts(&public, ".current li")?;
    ensure!(
        current.len() == 1
            && current[0].starts_with("Brokendown since")
            && current[0].ends_with("4 min"),
        "{current:?}"
    );
    let over = texts(&public, ".outages li")?;
    ensure!(
        over.len() == 1 && over[0].starts_with("Broken") && over[0].ends_with("30 min"),
        "{over:?}"
    );
    let shop = page(&client.get("/status/shop").await?)?;
    ensure!(texts(&shop, "ul.sites h3")? == ["Broken"]);
    let all = page(&client.get("/status").await?)?;
    ensure!(texts(&all, "main a")? == ["public", "shop"]);

    tells_no_secret(&client).await?;
    let policy = reply.header("content-security-policy");
    ensure!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"),
        "{policy}"
    );
    for other in ["internal", "none", "PUBLIC", "public%2F"] {
        let refused = client.get(&format!("/status/{other}")).await?;
        refused.problem(404, "not-found")?;
    }
    let known = [("If-None-Match", reply.header("etag"))];
    let again = client
        .send(hyper::Method::GET, "/status/public", &known, "".into())
        .await?;
    ensure!(again.status == 304, "{again:?}");
    ensure!(!service.log().contains("\"ERROR\""), "{}", service.log());
    Ok(())
}

#[tokio::test]
async fn a_page_renews_itself_only_when_it_is_asked_to() -> anyhow::Result<()> {
    let world = stored().await?;
    let api = Api::start(&world, &[("API_STATUS_PAGES", "shop")]).await?;
    for (query, told) in [("", ""), ("?refresh=60", "60"), ("?refresh=1", "30")] {
        let reply = api.client.get(&format!("/status{query}")).await?;
        ensure!(reply.header("refresh") == told, "{query}: {reply:?}");
    }
    Ok(())
}

#[tokio::test]
async fn without_chosen_tags_there_is_no_page_and_one_needs_no_list() -> anyhow::Result<()> {
    let world = stored().await?;
    let none = Api::start(&world, &[]).await?;
    for path in ["/status", "/status/public"] {
        none.client.get(path).await?.problem(404, "not-found")?;
    }
    let one = Api::start(&world, &[("API_STATUS_PAGES", "shop")]).await?;
    let (at_root, by_tag) = (
        page(&one.client.get("/status").await?)?,
        page(&one.client.get("/status/shop").await?)?,
    );
    for html in [at_root, by_tag] {
        ensure!(texts(&html, "h1")? == ["Status"]);
        ensure!(texts(&html, "ul.sites h3")? == ["Broken"]);
    }
    Ok(())
}

#[tokio::test]
async fn while_the_database_is_away_the_last_page_is_shown_with_its_age() -> anyhow::Result<()> {
    let mut postgres = Postgres::start(PostgresOptions::default())?;
    let world = World::on(&postgres.url(), "localhost:1").await?;
    world.admin(&["migrate"])?.success()?;
    let site = json!({"name": "Shop", "url": "http://x", "tags": ["shop"]});
    world.import(&[site])?;
    let pages = ("API_STATUS_PAGES", "shop");
    let seen = Api::start(&world, &[pages]).await?;
    let unseen = Api::start(&world, &[pages]).await?;
    let before = page(&seen.client.get("/status").await?)?;
    ensure!(texts(&before, "p.state")? == ["Not known yet"]);
    ensure!(texts(&before, ".note")?.is_empty());
    postgres.stop()?;

    let never = unseen.client.get("/status").await?;
    ensure!(never.status == 503, "{never:?}");
    let html = Html::parse_document(&never.text());
    ensure!(html.errors.is_empty(), "{:?}", html.errors);
    ensure!(texts(&html, ".big")? == ["The status cannot be read right now"]);
    ensure!(never.header("retry-after") == "60", "{never:?}");
    ensure!(
        !never.header("content-security-policy").is_empty(),
        "{never:?}"
    );

    let late = e2e::eventually("the page is told to be old", || async {
        let html = page(&seen.client.get("/status").await?)?;
        Ok(texts(&html, ".note")?
            .pop()
            .map(|note| (note, texts(&html, "ul.sites h3"))))
    })
    .await?;
    ensure!(
        late.0.starts_with("This is not current.") && late.0.ends_with(" ago."),
        "{late:?}"
    );
    ensure!(late.1? == ["Shop"]);
    postgres.restart()?;
    e2e::eventually("both show a new page", || async {
        for api in [&seen, &unseen] {
            let html = page(&api.client.get("/status").await?)?;
            ensure!(texts(&html, ".note")?.is_empty(), "not current");
        }
        Ok(Some(()))
    })
    .await
}
