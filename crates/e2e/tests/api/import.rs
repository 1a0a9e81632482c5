//! A site file made what is monitored, over HTTP.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};
use e2e::{Api, Client, Reply, World};
use hyper::Method;
use serde_json::{Value, json};

const IMPORT: &str = "/api/v1/sites/import";
const YAML: (&str, &str) = ("Content-Type", "application/yaml");
const THREE: &str = "sites:\n  - {name: a, url: https://a.example/}\n  \
                     - {name: b, url: https://b.example/, interval: 30s}\n  \
                     - {name: c, url: https://c.example/}\n";

async fn started() -> anyhow::Result<(World, Api)> {
    let world = World::bare().await?;
    world.admin(&["migrate"])?.success()?;
    let api = Api::start(&world, &[]).await?;
    Ok((world, api))
}

async fn send(
    client: &Client,
    query: &str,
    headers: &[(&str, &str)],
    file: &str,
) -> anyhow::Result<Reply> {
    let path = format!("{IMPORT}?{query}");
    let body = file.to_owned().into();
    client.send(Method::POST, &path, headers, body).await
}

/// What an import says that it did or would do.
async fn import(client: &Client, query: &str, file: &str) -> anyhow::Result<Value> {
    let reply = send(client, query, &[YAML], file).await?;
    ensure!(reply.status == 200, "{reply:?}");
    reply.json()
}

async fn names(client: &Client) -> anyhow::Result<Vec<String>> {
    let sites = client.json("/api/v1/sites").await?;
    let items = sites["items"].as_array().context("no sites")?;
    let name = |site: &Value| site["name"].as_str().map(str::to_owned);
    Ok(items.iter().filter_map(name).collect())
}

#[tokio::test]
async fn a_plan_says_what_would_be_done_and_then_that_is_done() -> anyhow::Result<()> {
    let (
        _world,
        Api {
            client,
            service: _service,
        },
    ) = started().await?;
    let plan = import(&client, "", THREE).await?;
    ensure!(plan["applied"] == false, "{plan}");
    ensure!(plan["created"] == json!(["a", "b", "c"]), "{plan}");
    ensure!(names(&client).await?.is_empty(), "a plan changes nothing");
    let done = import(&client, "dry_run=false", THREE).await?;
    ensure!(
        done["applied"] == true && done["counts"]["created"] == 3,
        "{done}"
    );
    ensure!(names(&client).await? == ["a", "b", "c"]);

    // The same as JSON, but for one that changes, one that is new, and one that is gone.
    let json = json!({"sites": [
        {"name": "d", "url": "https://d.example/"},
        {"name": "b", "url": "https://b.example/", "interval": "20s", "tags": ["x"]},
        {"name": "a", "url": "https://a.example/"},
    ]});
    let headers = [("Content-Type", "application/json; charset=utf-8")];
    let planned = send(&client, "prune=true", &headers, &json.to_string()).await?;
    let plan = planned.json()?;
    let expected = json!({
        "applied": false, "version": plan["version"], "created": ["d"],
        "updated": [{"name": "b", "fields": ["interval", "tags"]}],
        "unchanged": ["a"], "removed": ["c"],
        "counts": {"created": 1, "updated": 1, "unchanged": 1, "removed": 1},
    });
    ensure!(plan == expected, "{plan}");
    let kept = send(&client, "", &headers, &json.to_string())
        .await?
        .json()?;
    ensure!(kept["removed"] == json!([]), "{kept}");

    let version = plan["version"].as_str().context("no version")?;
    let headers = [headers[0], ("If-Match", version)];
    let query = "dry_run=false&prune=true";
    let done = send(&client, query, &headers, &json.to_string()).await?;
    ensure!(done.json()?["counts"] == expected["counts"], "{done:?}");
    ensure!(names(&client).await? == ["a", "b", "d"]);
    // That was another state of the sites: neither that nor its plan can be had again.
    for query in [query, "prune=true"] {
        let refused = send(&client, query, &headers, &json.to_string()).await?;
        refused.problem(412, "version-conflict")?;
    }
    Ok(())
}

#[tokio::test]
async fn sites_that_were_changed_meanwhile_are_not_imported_over() -> anyhow::Result<()> {
    let (
        _world,
        Api {
            client,
            service: _service,
        },
    ) = started().await?;
    let plan = import(&client, "", THREE).await?;
    let version = plan["version"].as_str().context("no version")?;
    let other = json!({"name": "other", "url": "http://x"});
    let added = client
        .send_json(Method::POST, "/api/v1/sites", &other)
        .await?;
    ensure!(added.status == 201, "{added:?}");
    let headers = [YAML, ("If-Match", version)];
    let refused = send(&client, "dry_run=false", &headers, THREE).await?;
    refused.problem(412, "version-conflict")?;
    ensure!(names(&client).await? == ["other"]);
    // Who does not say what they have seen gets what they ask for.
    import(&client, "dry_run=false", THREE).await?;
    ensure!(names(&client).await?.len() == 4);
    Ok(())
}

#[tokio::test]
async fn every_problem_of_a_file_is_told_with_its_site_and_place() -> anyhow::Result<()> {
    let (
        _world,
        Api {
            client,
            service: _service,
        },
    ) = started().await?;
    let file = "sites:\n  - {name: a, url: https://a.example/, interval: 1, colour: red}\n  \
                - name: b\n    timeout: 2h\n    url: https://b.example/\n    headers:\n      \
                Authorization: \"[hidden]\"\n  - {name: a, url: https://a.example/}\n  \
                - {name: a, url: https://a.example/}\n";
    for query in ["", "dry_run=false"] {
        let refused = send(&client, query, &[YAML], file).await?;
        let problem = refused.problem(422, "invalid-site")?;
        let errors = problem["errors"].as_array().context("no errors")?;
        let told = errors.iter().map(|error| {
            let site = &error["site"];
            json!([site["index"], site["name"], error["field"], error["line"]])
        });
        let expected = json!([
            [0, "a", "colour", 2],
            [0, "a", "interval", 2],
            [1, "b", "headers.Authorization", 7],
            [1, "b", "timeout", 4],
            [3, "a", "name", 9],
        ]);
        ensure!(
            Value::from(told.collect::<Vec<_>>()) == expected,
            "{problem}"
        );
        ensure!(
            errors.iter().all(|error| error["column"].is_u64()),
            "{problem}"
        );
    }
    for (file, line, column) in [
        ("sites:\n  - url: \"https://a.example/\n", 2, 10),
        ("sites:\n  - 7\n", 2, 5),
        ("sights: []\n", 1, 1),
        (
            "{\"sites\": [{\"url\": \"https://a.example/\", \"url\": 1}]}",
            1,
            42,
        ),
        ("", 1, 1),
    ] {
        let refused = send(&client, "", &[YAML], file).await?;
        let problem = refused.problem(400, "invalid-request")?;
        let error = &problem["errors"][0];
        ensure!(error["field"] == "body", "{file:?}: {problem}");
        ensure!(
            error["line"] == line && error["column"] == column,
            "{file:?}: {problem}"
        );
    }
    ensure!(names(&client).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_is_no_import_is_refused() -> anyhow::Result<()> {
    let (
        _world,
        Api {
            client,
            service: _service,
        },
    ) = started().await?;
    for (query, headers, status, kind) in [
        (
            "",
            vec![("Content-Type", "text/plain")],
            415,
            "unsupported-media-type",
        ),
        ("", vec![], 415, "unsupported-media-type"),
        ("dry_run=perhaps", vec![YAML], 400, "invalid-request"),
        ("force=true", vec![YAML], 400, "invalid-request"),
        ("", vec![YAML, ("If-Match", "now")], 400, "invalid-request"),
    ] {
        let refused = send(&client, query, &headers, THREE).await?;
        refused.problem(status, kind)?;
    }
    client
        .get(IMPORT)
        .await?
        .problem(405, "method-not-allowed")?;
    let large = format!("{THREE}#{}", "x".repeat(16 << 20));
    let refused = send(&client, "", &[YAML], &large).await?;
    refused.problem(413, "too-large")?;
    let bytes = b"sites: []\n# \xff".to_vec();
    let refused = client
        .send(Method::POST, IMPORT, &[YAML], bytes.into())
        .await?;
    let problem = refused.problem(400, "invalid-request")?;
    ensure!(problem["errors"][0]["field"] == "body", "{problem}");
    Ok(())
}

#[tokio::test]
async fn ten_thousand_sites_are_imported_at_once() -> anyhow::Result<()> {
    let (
        _world,
        Api {
            client,
            service: _service,
        },
    ) = started().await?;
    let mut file = "sites:\n".to_owned();
    for site in 0..10_000 {
        writeln!(
            file,
            "  - name: Service {site}\n    url: https://service-{site}.example.com/health\n    \
             interval: 1m\n    tags: [production, all-of-them]"
        )?;
    }
    ensure!(file.len() > 1 << 20, "that is no large file");
    let done = import(&client, "dry_run=false", &file).await?;
    ensure!(done["counts"]["created"] == 10_000, "{}", done["counts"]);
    let listed = done["created"].as_array().map(Vec::len);
    ensure!(listed == Some(1_000), "{listed:?}");
    let again = import(&client, "prune=true", &file).await?;
    ensure!(
        again["counts"]["unchanged"] == 10_000,
        "{}",
        again["counts"]
    );
    let rest = import(&client, "prune=true", "sites: []").await?;
    ensure!(rest["counts"]["removed"] == 10_000, "{}", rest["counts"]);
    Ok(())
}
