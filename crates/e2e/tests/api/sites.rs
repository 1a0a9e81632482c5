//! What is monitored, over HTTP.

use anyhow::{Context as _, ensure};
use e2e::{Api, Binary, Client, Target, World};
use hyper::Method;
use hyper::body::Bytes;
use serde_json::{Value, json};

const SITES: &str = "/api/v1/sites";

async fn started() -> anyhow::Result<(World, Api)> {
    let world = World::bare().await?;
    world.admin(&["migrate"])?.success()?;
    let api = Api::start(&world, &[]).await?;
    Ok((world, api))
}

async fn add(client: &Client, site: &Value) -> anyhow::Result<Value> {
    let reply = client.send_json(Method::POST, SITES, site).await?;
    ensure!(reply.status == 201, "{reply:?}");
    reply.json()
}

fn path(site: &Value) -> String {
    format!("{SITES}/{}", site["id"])
}

#[tokio::test]
async fn a_site_is_added_read_changed_and_removed() -> anyhow::Result<()> {
    let (
        _world,
        Api {
            client,
            service: _service,
        },
    ) = started().await?;
    let added = client
        .send_json(
            Method::POST,
            SITES,
            &json!({"url": "https://example.com/", "tags": ["a"]}),
        )
        .await?;
    ensure!(added.status == 201, "{added:?}");
    let path = added.header("location").to_owned();
    let site = added.json()?;
    ensure!(
        path == self::path(&site) && site["site"]["name"] == "example.com",
        "{site}"
    );

    let read = client.get(&path).await?;
    ensure!(
        read.json()? == site && read.header("etag") == added.header("etag"),
        "{read:?}"
    );
    let known = [("If-None-Match", read.header("etag"))];
    let again = client
        .send(Method::GET, &path, &known, Bytes::new())
        .await?;
    ensure!(again.status == 304 && again.body.is_empty(), "{again:?}");

    let mut fields = site["site"].clone();
    fields["interval"] = json!("30s");
    fields["name"] = json!("renamed");
    let changed = client.send_json(Method::PUT, &path, &fields).await?;
    ensure!(
        changed.status == 200 && changed.header("etag") != read.header("etag"),
        "{changed:?}"
    );
    ensure!(changed.json()?["site"]["interval"] == "30s");
    let repeated = client.send_json(Method::PUT, &path, &fields).await?;
    ensure!(
        repeated.json()? == changed.json()?,
        "to put it again changes nothing"
    );

    let removed = client
        .send(Method::DELETE, &path, &[], Bytes::new())
        .await?;
    ensure!(
        removed.status == 204 && removed.body.is_empty(),
        "{removed:?}"
    );
    client.get(&path).await?.problem(404, "not-found")?;
    let gone = client
        .send(Method::DELETE, &path, &[], Bytes::new())
        .await?;
    gone.problem(404, "not-found")?;
    Ok(())
}

#[tokio::test]
async fn who_changes_a_site_that_was_changed_meanwhile_is_told() -> anyhow::Result<()> {
    let (
        _world,
        Api {
            client,
            service: _service,
        },
    ) = started().await?;
    let site = add(&client, &json!({"url": "https://example.com/"})).await?;
    let (path, body) = (path(&site), site["site"].to_string());
    let put = async |tag: &str, interval: &str| {
        let mut fields = site["site"].clone();
        fields["interval"] = json!(interval);
        let headers = [("If-Match", tag), ("Content-Type", "application/json")];
        client
            .send(Method::PUT, &path, &headers, fields.to_string().into())
            .await
    };
    let tag = client.get(&path).await?.header("etag").to_owned();
    let first = put(&tag, "20s").await?;
    ensure!(first.status == 200, "{first:?}");
    put(&tag, "40s").await?.problem(412, "version-conflict")?;
    ensure!(client.json(&path).await?["site"]["interval"] == "20s");
    ensure!(put(first.header("etag"), "40s").await?.status == 200);
    ensure!(put("*", "50s").await?.status == 200);
    let strange = put("abc", "60s").await?.problem(400, "invalid-request")?;
    ensure!(strange["errors"][0]["field"] == "If-Match", "{strange}");

    let stale = [("If-Match", tag.as_str())];
    let refused = client
        .send(Method::DELETE, &path, &stale, body.into())
        .await?;
    refused.problem(412, "version-conflict")?;
    Ok(())
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named() -> anyhow::Result<()> {
    let (
        _world,
        Api {
            client,
            service: _service,
        },
    ) = started().await?;
    let wrong = json!({"url": "ftp://x", "intervall": "1s", "timeout": "soon", "tags": ["a\u{0}"]});
    let reply = client.send_json(Method::POST, SITES, &wrong).await?;
    let problem = reply.problem(422, "invalid-site")?;
    let errors = problem["errors"].as_array().context("no errors")?;
    let mut fields: Vec<_> = errors
        .iter()
        .filter_map(|error| error["field"].as_str())
        .collect();
    fields.sort_unstable();
    ensure!(
        fields == ["intervall", "tags", "timeout", "url"],
        "{problem}"
    );
    ensure!(
        problem
            .to_string()
            .contains("did you mean \\\"interval\\\"?"),
        "{problem}"
    );

    let one = add(&client, &json!({"name": "one", "url": "http://x"})).await?;
    let other = add(&client, &json!({"name": "other", "url": "http://x"})).await?;
    let taken = json!({"name": "one", "url": "http://x"});
    client
        .send_json(Method::POST, SITES, &taken)
        .await?
        .problem(409, "name-taken")?;
    client
        .send_json(Method::PUT, &path(&other), &taken)
        .await?
        .problem(409, "name-taken")?;
    ensure!(
        client
            .send_json(Method::PUT, &path(&one), &taken)
            .await?
            .status
            == 200
    );
    Ok(())
}

#[tokio::test]
async fn sites_come_in_pages_and_can_be_searched() -> anyhow::Result<()> {
    let (
        _world,
        Api {
            client,
            service: _service,
        },
    ) = started().await?;
    for number in 0..7 {
        let tags = if number % 2 == 0 {
            json!(["even"])
        } else {
            json!([])
        };
        let site = json!({
            "name": format!("site {number} ä/&?"), "url": format!("http://host-{number}/"),
            "tags": tags, "enabled": number != 3,
        });
        add(&client, &site).await?;
    }
    let mut next = Some(format!("{SITES}?limit=3"));
    let (mut names, mut pages) = (Vec::new(), 0);
    while let Some(path) = next {
        let reply = client.get(&path).await?;
        let page = reply.json()?;
        let items = page["items"].as_array().context("no items")?;
        names.extend(items.iter().map(|item| item["name"].to_string()));
        next = page["next"].as_str().map(ToOwned::to_owned);
        let link = next
            .as_ref()
            .map_or(String::new(), |next| format!("<{next}>; rel=\"next\""));
        ensure!(reply.header("link") == link, "{reply:?}");
        pages += 1;
    }
    ensure!(
        pages == 3 && names.len() == 7 && names.is_sorted(),
        "{names:?}"
    );

    let count = async |query: &str| {
        let page = client.json(&format!("{SITES}?{query}")).await?;
        anyhow::Ok(page["items"].as_array().map_or(0, Vec::len))
    };
    for (query, expected) in [
        ("tag=even", 4),
        ("tag=EVEN", 0),
        ("q=HOST-5", 1),
        ("q=%25", 0),
        ("q=ä/%26", 7),
        ("enabled=false", 1),
        ("outcome=unknown", 6),
        ("outcome=disabled", 1),
        ("outcome=down", 0),
        ("tag=even&q=site%206&enabled=true", 1),
    ] {
        let found = count(&query.replace('ä', "%C3%A4")).await?;
        ensure!(found == expected, "{query}: {found}");
    }
    Ok(())
}

#[tokio::test]
async fn a_running_checker_follows_and_the_state_is_shown() -> anyhow::Result<()> {
    let world = World::new().await?;
    let target = Target::start(&[])?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let _checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    let site = json!({"name": "broken", "url": target.url("/"), "interval": "1s", "timeout": "1s"});
    let path = path(&add(&client, &site).await?);
    let state = e2e::eventually("the site is down", || async {
        let state = client.json(&format!("{path}/state")).await?;
        ensure!(state["state"] == "down", "{state}");
        Ok(Some(state))
    })
    .await?;
    let seen = &state["regions"][0];
    ensure!(
        seen["failure"]["kind"] == "unexpected_status" && seen["status_code"] == 404,
        "{seen}"
    );
    ensure!(
        seen["since"].is_string() && seen["region"] == "local" && seen["state"] == "down",
        "{seen}"
    );
    let down = client.json(&format!("{SITES}?outcome=down")).await?;
    ensure!(
        down["items"][0]["name"] == "broken" && down["items"][0]["state"] == "down",
        "{down}"
    );
    Ok(())
}

#[tokio::test]
async fn a_probe_is_made_now_and_stores_nothing() -> anyhow::Result<()> {
    let (
        world,
        Api {
            client,
            service: _service,
        },
    ) = started().await?;
    let target = Target::start(&[("/", e2e::Answer::ok("hello"))])?;
    let probe = async |site: Value| client.send_json(Method::POST, "/api/v1/probe", &site).await;
    let up = probe(json!({"url": target.url("/"), "content_regex": "hello"}))
        .await?
        .json()?;
    ensure!(
        up["outcome"] == "up" && up["content"] == "matched" && up["status_code"] == 200,
        "{up}"
    );
    let down = probe(json!({"url": target.url("/"), "content_regex": "bye"}))
        .await?
        .json()?;
    ensure!(down["failure"]["kind"] == "content_unmatched", "{down}");
    probe(json!({"url": 7}))
        .await?
        .problem(422, "invalid-site")?;
    ensure!(world.rows().await?.is_empty());

    let strict = Api::start(&world, &[("API_ALLOW_PRIVATE_TARGETS", "false")]).await?;
    let site = json!({"url": target.url("/")});
    let refused = strict
        .client
        .send_json(Method::POST, "/api/v1/probe", &site)
        .await?
        .json()?;
    ensure!(
        refused["failure"]["kind"] == "address_not_allowed",
        "{refused}"
    );
    Ok(())
}
