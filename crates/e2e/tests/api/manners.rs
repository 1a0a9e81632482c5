//! How requests are treated, whatever they are about.

use anyhow::{Context as _, ensure};
use e2e::{Api, World};
use hyper::Method;
use hyper::body::Bytes;

const SITES: &str = "/api/v1/sites";

async fn started(variables: &[(&str, &str)]) -> anyhow::Result<Api> {
    let world = World::bare().await?;
    world.admin(&["migrate"])?.success()?;
    Api::start(&world, variables).await
}

#[tokio::test]
async fn what_cannot_be_understood_is_a_problem_that_names_it() -> anyhow::Result<()> {
    let Api {
        client,
        service: _service,
    } = started(&[]).await?;
    for (path, field) in [
        ("/api/v1/sites?limit=0", "limit"),
        ("/api/v1/sites?limit=99999", "limit"),
        ("/api/v1/sites?outcome=great", "outcome"),
        ("/api/v1/sites?colour=red", "colour"),
        ("/api/v1/sites?tag=a&tag=b", "tag"),
        ("/api/v1/sites?q=%00", "q"),
        ("/api/v1/sites/abc", "id"),
        ("/api/v1/sites/1/metrics/uptime?from=yesterday", "from"),
        ("/api/v1/sites/1/metrics/uptime?from=1h&to=2h", "from"),
        ("/api/v1/sites/1/metrics/uptime?from=99999d", "from"),
        ("/api/v1/sites/1/metrics/uptime?step=7m", "step"),
        ("/api/v1/sites/1/metrics/uptime?tz=Mars/Olympus", "tz"),
        ("/api/v1/sites/1/metrics/uptime?region=EU", "region"),
        ("/api/v1/sites/1/checks?after=there", "after"),
        ("/api/v1/sites/1/checks?outcome=up,great", "outcome"),
        ("/api/v1/outages?after=2026-01-05T10:00:00Z", "after"),
        ("/badge/1/uptime.svg?window=long", "window"),
    ] {
        let problem = client.get(path).await?.problem(400, "invalid-request")?;
        ensure!(problem["errors"][0]["field"] == field, "{path}: {problem}");
    }
    for path in [
        "/nothing",
        "/api",
        "/api/v1/nothing",
        "/assets/nothing.js",
        "/api/v1/sites/1/nothing",
    ] {
        client.get(path).await?.problem(404, "not-found")?;
    }
    let patched = client.send(Method::PATCH, SITES, &[], Bytes::new()).await?;
    patched.problem(405, "method-not-allowed")?;
    ensure!(patched.header("allow").contains("POST"), "{patched:?}");
    Ok(())
}

#[tokio::test]
async fn a_body_has_to_be_json_and_not_too_large() -> anyhow::Result<()> {
    let Api {
        client,
        service: _service,
    } = started(&[]).await?;
    let post = async |media_type: &str, body: Bytes| {
        client
            .send(Method::POST, SITES, &[("Content-Type", media_type)], body)
            .await
    };
    let json = "application/json";
    post("text/plain", Bytes::from("{}"))
        .await?
        .problem(415, "unsupported-media-type")?;
    for body in ["", "{", "[]", "\"x\"", "{\"url\":1}x"] {
        let problem = post(json, Bytes::from(body))
            .await?
            .problem(400, "invalid-request")?;
        ensure!(problem["errors"][0]["field"] == "body", "{body}: {problem}");
    }
    let large = format!(
        "{{\"url\": \"http://x\", \"body\": \"{}\"}}",
        "x".repeat(2 << 20)
    );
    post(json, large.into()).await?.problem(413, "too-large")?;
    let deep = "[".repeat(200_000);
    post(json, deep.into())
        .await?
        .problem(400, "invalid-request")?;
    Ok(())
}

#[tokio::test]
async fn a_request_keeps_its_id_and_answers_are_compressed() -> anyhow::Result<()> {
    let Api {
        client,
        service: _service,
    } = started(&[]).await?;
    let with = async |headers: &[(&str, &str)]| {
        client.send(Method::GET, SITES, headers, Bytes::new()).await
    };
    let own = with(&[("X-Request-Id", "abc-123")]).await?;
    ensure!(own.header("x-request-id") == "abc-123", "{own:?}");
    let strange = with(&[("X-Request-Id", "a b\tc")]).await?;
    ensure!(strange.header("x-request-id").len() == 36, "{strange:?}");
    ensure!(own.header("x-content-type-options") == "nosniff");
    ensure!(
        own.header("access-control-allow-origin").is_empty(),
        "nobody else may call: {own:?}"
    );

    let gzip = [("Accept-Encoding", "gzip")];
    let zipped = client
        .send(Method::GET, "/api/openapi.json", &gzip, Bytes::new())
        .await?;
    let plain = client.get("/api/openapi.json").await?;
    ensure!(
        zipped.header("content-encoding") == "gzip" && zipped.body.len() * 3 < plain.body.len()
    );
    let known = [("If-None-Match", plain.header("etag"))];
    let again = client
        .send(Method::GET, "/api/openapi.json", &known, Bytes::new())
        .await?;
    ensure!(again.status == 304, "{again:?}");
    Ok(())
}

#[tokio::test]
async fn other_origins_may_call_when_they_are_named() -> anyhow::Result<()> {
    let Api {
        client,
        service: _service,
    } = started(&[("API_CORS_ORIGINS", "https://status.example")]).await?;
    let asked = async |origin: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "PUT"),
            (
                "Access-Control-Request-Headers",
                "authorization,if-match,content-type",
            ),
        ];
        client
            .send(Method::OPTIONS, "/api/v1/sites/1", &headers, Bytes::new())
            .await
    };
    let named = asked("https://status.example").await?;
    ensure!(
        named.header("access-control-allow-origin") == "https://status.example",
        "{named:?}"
    );
    let allowed = named.header("access-control-allow-headers").to_owned();
    ensure!(
        allowed.contains("if-match")
            && named.header("access-control-allow-methods").contains("PUT"),
        "{named:?}"
    );
    let other = asked("https://evil.example").await?;
    ensure!(
        other.header("access-control-allow-origin").is_empty(),
        "{other:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_document_and_the_page_that_shows_it_are_served() -> anyhow::Result<()> {
    let Api {
        client,
        service: _service,
    } = started(&[]).await?;
    let document = client.json("/api/openapi.json").await?;
    ensure!(document["openapi"] == "3.1.0", "{}", document["openapi"]);
    for (path, item) in document["paths"].as_object().context("no paths")? {
        for (method, operation) in item.as_object().context("no operations")? {
            let told = operation["operationId"].is_string() && operation["summary"].is_string();
            ensure!(told && operation["tags"][0].is_string(), "{method} {path}");
            ensure!(
                operation["security"][0]["bearer"].is_array(),
                "{method} {path}"
            );
        }
    }
    let page = client.get("/api/docs").await?;
    ensure!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    ensure!(
        policy.contains("default-src 'none'") && !policy.contains("http"),
        "{policy}"
    );
    Ok(())
}
