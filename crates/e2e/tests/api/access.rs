//! Who may do what.

use anyhow::{Context as _, ensure};
use e2e::{Api, Binary, Client, World};
use hyper::Method;
use hyper::body::Bytes;
use serde_json::json;

const SITES: &str = "/api/v1/sites";

/// A token, and what the API has to know of it.
fn token(world: &World, name: &str, scope: &str) -> anyhow::Result<(String, String)> {
    let printed = world
        .admin(&["tokens", "create", name, "--scope", scope])?
        .success()?;
    let mut words = printed.split_whitespace();
    let token = words
        .find(|word| word.starts_with("amt_"))
        .context("no token")?;
    let grant = words
        .find(|word| word.starts_with(&format!("{name}:")))
        .context("no grant")?;
    Ok((token.to_owned(), grant.to_owned()))
}

/// An API that knows a reader and a writer: those two, and who has no token.
async fn guarded(
    world: &World,
    variables: &[(&str, &str)],
) -> anyhow::Result<(Api, Client, Client)> {
    world.admin(&["migrate"])?.success()?;
    let (reader, read) = token(world, "reader", "read")?;
    let (writer, write) = token(world, "writer", "write")?;
    let grants = format!("{read},{write}");
    let variables = [&[("API_TOKENS", grants.as_str())], variables].concat();
    let api = Api::start(world, &variables).await?;
    let (reader, writer) = (
        api.client.with_token(&reader),
        api.client.with_token(&writer),
    );
    Ok((api, reader, writer))
}

#[tokio::test]
async fn a_token_is_good_for_its_scope_and_nothing_else() -> anyhow::Result<()> {
    let world = World::bare().await?;
    let (api, reader, writer) = guarded(&world, &[]).await?;
    let nobody = &api.client;
    let site = json!({"url": "http://x", "headers": {"Authorization": "hunter2"}, "method": "POST", "body": "hunter2"});

    let asked = nobody.get(SITES).await?;
    asked.problem(401, "unauthorized")?;
    ensure!(asked.header("www-authenticate") == "Bearer", "{asked:?}");
    nobody
        .send_json(Method::POST, SITES, &site)
        .await?
        .problem(401, "unauthorized")?;
    reader
        .send_json(
            Method::POST,
            &format!("{SITES}/import"),
            &json!({"sites": []}),
        )
        .await?
        .problem(403, "forbidden")?;
    reader
        .send_json(Method::POST, SITES, &site)
        .await?
        .problem(403, "forbidden")?;
    reader
        .send_json(Method::POST, "/api/v1/probe", &site)
        .await?
        .problem(403, "forbidden")?;
    let added = writer.send_json(Method::POST, SITES, &site).await?;
    ensure!(added.status == 201, "{added:?}");
    let path = added.header("location").to_owned();
    for method in [Method::PUT, Method::DELETE] {
        reader
            .send_json(method, &path, &site)
            .await?
            .problem(403, "forbidden")?;
    }

    let (shown, hidden) = (writer.json(&path).await?, reader.json(&path).await?);
    ensure!(
        shown["site"]["headers"]["authorization"] == "hunter2",
        "{shown}"
    );
    for secret in [
        &hidden["site"]["headers"]["authorization"],
        &hidden["site"]["body"],
    ] {
        ensure!(*secret == "[hidden]", "{hidden}");
    }
    ensure!(!reader.json(SITES).await?.to_string().contains("hunter2"));
    let back = writer
        .send_json(Method::PUT, &path, &hidden["site"])
        .await?;
    back.problem(422, "invalid-site")?;

    let log = api.service.log();
    ensure!(!log.contains("hunter2") && !log.contains("amt_"), "{log}");
    Ok(())
}

#[tokio::test]
async fn every_route_that_is_documented_takes_a_token() -> anyhow::Result<()> {
    let world = World::bare().await?;
    let (api, _, _) = guarded(&world, &[]).await?;
    let document = api.client.json("/api/openapi.json").await?;
    let paths = document["paths"].as_object().context("no paths")?;
    ensure!(paths.len() > 15, "{}", paths.len());
    for (path, operations) in paths {
        for method in operations.as_object().context("no operations")?.keys() {
            let method: Method = method.to_uppercase().parse()?;
            let path = path.replace("{id}", "1");
            api.client
                .send_json(method, &path, &json!({}))
                .await?
                .problem(401, "unauthorized")?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn reads_can_be_public_while_changes_are_not() -> anyhow::Result<()> {
    let world = World::bare().await?;
    let (api, reader, _) = guarded(&world, &[("API_PUBLIC_READS", "true")]).await?;
    ensure!(api.client.get(SITES).await?.status == 200);
    ensure!(reader.get(SITES).await?.status == 200);
    let site = json!({"url": "http://x"});
    let refused = api.client.send_json(Method::POST, SITES, &site).await?;
    refused.problem(401, "unauthorized")?;
    // A wrong token is a mistake to tell, also where none is needed.
    api.client
        .with_token("amt_wrong")
        .get(SITES)
        .await?
        .problem(401, "unauthorized")?;
    Ok(())
}

#[tokio::test]
async fn guessing_tokens_is_slowed_down_and_harms_nobody_else() -> anyhow::Result<()> {
    let world = World::bare().await?;
    let (api, reader, _) = guarded(&world, &[]).await?;
    let guesser = api.client.with_token("amt_guess");
    let mut refused = None;
    for _ in 0..30 {
        let reply = guesser.get(SITES).await?;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
        reply.problem(401, "unauthorized")?;
    }
    let refused = refused.context("never slowed down")?;
    refused.problem(429, "too-many-failures")?;
    ensure!(
        refused.header("retry-after").parse::<u64>()? > 0,
        "{refused:?}"
    );
    ensure!(
        reader.get(SITES).await?.status == 200,
        "a right token still works"
    );
    Ok(())
}

#[tokio::test]
async fn without_tokens_only_this_machine_is_answered() -> anyhow::Result<()> {
    let world = World::bare().await?;
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let mut world = World::bare().await?;
        world.set("API_LISTEN", listen);
        let refused = world.run(Binary::Api, &[])?;
        ensure!(refused.code == Some(64), "{refused:?}");
        ensure!(
            refused.stderr.contains("API_TOKENS") && refused.stderr.contains("admin tokens create"),
            "{refused:?}"
        );
    }
    world.admin(&["migrate"])?.success()?;
    let api = Api::start(&world, &[]).await?;
    ensure!(api.client.get(SITES).await?.status == 200);
    // A page whose name leads to this machine, in somebody's browser here.
    let rebound = [("Host", "evil.example:8080")];
    let refused = api
        .client
        .send(Method::GET, SITES, &rebound, Bytes::new())
        .await?;
    refused.problem(421, "misdirected")?;
    Ok(())
}
