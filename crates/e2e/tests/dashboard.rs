//! The dashboard in a real browser, before the whole monitor.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, ensure};
use e2e::{Answer, Api, Binary, Target, World, eventually, program};
use hyper::Method;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// One scenario of `dashboard/browser`, as it runs in a browser.
struct Scenario {
    child: Child,
    told: UnboundedReceiver<String>,
}

impl Scenario {
    /// `None` where there is no browser, or no Node.js; `cargo xtask test` has said so.
    fn start(name: &str, api: &Api, token: &str) -> anyhow::Result<Option<Self>> {
        let programs = program("TEST_NODE").zip(program("TEST_BROWSER"));
        let Some((node, browser)) = programs else {
            return Ok(None);
        };
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../dashboard/browser/run.mjs"
        );
        let mut child = Command::new(node)
            .arg(script)
            .args([name, &format!("http://{}/", api.client.address)])
            .env("BROWSER", browser)
            .env("TOKEN", token)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("no standard output")?;
        let (tell, told) = unbounded_channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.all(|line| tell.send(line).is_ok())
        });
        Ok(Some(Self { child, told }))
    }

    /// Waits until it says that it has seen this.
    async fn sees(&mut self, what: &str) -> anyhow::Result<()> {
        let told = self.told.recv().await;
        let told = told.with_context(|| format!("it ended before it saw that {what}"))?;
        ensure!(told == what, "it saw that {told}, not that {what}");
        Ok(())
    }

    /// Waits until it ends well.
    async fn ends(mut self) -> anyhow::Result<()> {
        while self.told.recv().await.is_some() {}
        let status = self.child.wait()?;
        ensure!(status.success(), "{status}; the browser's side says why");
        Ok(())
    }
}

/// One that has ended already cannot be killed, which is no harm.
impl Drop for Scenario {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn site(name: &str, target: &Target, tags: &[&str]) -> Value {
    let url = target.url("/");
    json!({"name": name, "url": url, "interval": "1s", "timeout": "900ms", "tags": tags})
}

fn target() -> anyhow::Result<Target> {
    Target::start(&[("/", Answer::ok("hello"))])
}

#[tokio::test]
async fn an_open_page_tells_that_a_site_goes_down_and_why_and_that_it_is_back() -> anyhow::Result<()>
{
    let (world, shop, blog) = (World::new().await?, target()?, target()?);
    world.import(&[
        site("shop", &shop, &["front"]),
        site("blog", &blog, &["back"]),
    ])?;
    let _checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    let api = Api::start(&world, &[]).await?;
    let Some(mut page) = Scenario::start("live", &api, "")? else {
        return Ok(());
    };
    page.sees("shop is up").await?;
    shop.set_silent(true);
    page.sees("shop is down").await?;
    shop.set_silent(false);
    page.sees("shop is up again").await?;
    page.ends().await
}

#[tokio::test]
async fn who_has_no_token_is_asked_for_one_and_sees_nothing() -> anyhow::Result<()> {
    let (world, shop) = (World::new().await?, target()?);
    let mut secret = site("shop", &shop, &[]);
    secret["headers"] = json!({"Authorization": "Bearer of the shop"});
    world.import(&[secret])?;
    let made = world
        .admin(&["tokens", "create", "wall", "--scope", "read"])?
        .success()?;
    let starting = |begin: &str| {
        let mut words = made.split_whitespace();
        words
            .find(|word| word.starts_with(begin))
            .context("no token")
    };
    let (token, grant) = (starting("amt_")?, starting("wall:")?);
    let api = Api::start(&world, &[("API_TOKENS", grant)]).await?;
    let Some(mut page) = Scenario::start("login", &api, token)? else {
        return Ok(());
    };
    page.sees("signed in").await?;
    page.ends().await
}

#[tokio::test]
async fn the_page_of_a_site_tells_why_and_goes_closer_and_checks_it_now() -> anyhow::Result<()> {
    let (world, shop) = (World::new().await?, target()?);
    let mut missing = site("missing", &shop, &[]);
    missing["url"] = json!(shop.url("/nowhere"));
    world.import(&[site("shop", &shop, &["front"]), missing])?;
    let _checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    let api = Api::start(&world, &[]).await?;
    eventually("both sites have told", || async {
        let overview = api.client.json("/api/v1/overview").await?;
        let states = &overview["fleet"]["states"];
        Ok((states["down"] == 1 && states["up"] == 1).then_some(()))
    })
    .await?;
    let Some(mut page) = Scenario::start("site", &api, "")? else {
        return Ok(());
    };
    page.sees("missing is down, and why").await?;
    page.sees("the charts").await?;
    page.sees("a check").await?;
    page.sees("a check now").await?;
    page.ends().await
}

#[tokio::test]
async fn sites_are_added_and_changed_and_nothing_written_is_lost() -> anyhow::Result<()> {
    let (world, shop) = (World::new().await?, target()?);
    world.import(&[site("shop", &shop, &["front"])])?;
    let _checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    let api = Api::start(&world, &[]).await?;
    let Some(mut page) = Scenario::start("edit", &api, "")? else {
        return Ok(());
    };
    page.sees("a site was added").await?;
    page.sees("two have changed it").await?;
    page.sees("it is disabled").await?;
    page.sees("it is removed").await?;
    page.ends().await?;
    let sites = api.client.json("/api/v1/sites").await?;
    ensure!(
        sites["items"].as_array().map(Vec::len) == Some(1),
        "{sites}"
    );
    Ok(())
}

#[tokio::test]
async fn a_site_file_is_imported_as_it_was_shown() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.import(&[site("shop", &target()?, &[])])?;
    let api = Api::start(&world, &[]).await?;
    let Some(mut page) = Scenario::start("imports", &api, "")? else {
        return Ok(());
    };
    page.sees("a file was wrong").await?;
    page.sees("a site was imported").await?;
    page.sees("it was imported again").await?;
    page.ends().await
}

#[tokio::test]
async fn status_pages_need_no_script_and_offer_badges() -> anyhow::Result<()> {
    let (world, shop) = (World::new().await?, target()?);
    let mut missing = site("missing", &shop, &["public"]);
    missing["url"] = json!(shop.url("/nowhere"));
    world.import(&[
        site("shop", &shop, &["public"]),
        missing,
        site("blog", &shop, &["blog"]),
    ])?;
    let _checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    let api = Api::start(&world, &[("API_STATUS_PAGES", "public,blog")]).await?;
    // A page is put together only now and then: it should not be before all sites have told.
    eventually("all sites have told", || async {
        let overview = api.client.json("/api/v1/overview").await?;
        let states = &overview["fleet"]["states"];
        Ok((states["down"] == 1 && states["up"] == 2).then_some(()))
    })
    .await?;
    let Some(mut page) = Scenario::start("status", &api, "")? else {
        return Ok(());
    };
    page.sees("a site is down, without scripts").await?;
    page.sees("a badge").await?;
    page.sees("everybody can read it").await?;
    page.ends().await
}

#[tokio::test]
async fn everybody_can_read_the_page() -> anyhow::Result<()> {
    let (world, shop) = (World::new().await?, target()?);
    let mut slow = site("slow", &shop, &["front", "prod"]);
    slow["max_response_time"] = json!("1ms");
    let mut off = site("off", &shop, &[]);
    off["enabled"] = json!(false);
    let missing = json!({"name": "missing", "url": shop.url("/nowhere"), "interval": "1s", "timeout": "900ms"});
    world.import(&[site("shop", &shop, &["front"]), slow, off, missing])?;
    let _checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    let api = Api::start(&world, &[]).await?;
    eventually("a site is down", || async {
        let overview = api.client.json("/api/v1/overview").await?;
        Ok((overview["fleet"]["states"]["down"] == 1).then_some(()))
    })
    .await?;
    match Scenario::start("looks", &api, "")? {
        Some(page) => page.ends().await,
        None => Ok(()),
    }
}

#[tokio::test]
async fn the_page_is_for_browsers_and_loads_nothing_from_elsewhere() -> anyhow::Result<()> {
    let world = World::new().await?;
    let api = Api::start(&world, &[]).await?;
    let page = api.client.get("/").await?;
    ensure!(page.status == 200, "{page:?}");
    let policy = page.header("content-security-policy");
    ensure!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    ensure!(!policy.contains("unsafe"), "{policy}");
    ensure!(
        page.header("x-content-type-options") == "nosniff",
        "{page:?}"
    );

    let html = String::from_utf8(page.body.to_vec())?;
    let assets: Vec<_> = html
        .split('"')
        .filter(|word| word.starts_with("/assets/"))
        .collect();
    let is_built = !html.contains("is not in this program");
    ensure!(is_built != assets.is_empty(), "{html}");
    for path in assets {
        let asset = api.client.get(path).await?;
        ensure!(asset.status == 200, "{path}: {asset:?}");
        let cached = asset.header("cache-control");
        ensure!(cached.contains("immutable"), "{path}: {cached}");
    }
    let opened = [("Accept", "text/html,*/*;q=0.8")];
    let opened = api
        .client
        .send(Method::GET, "/some/view", &opened, Bytes::new())
        .await?;
    ensure!(is_built == (opened.body == page.body), "{opened:?}");
    let asked = api.client.get("/some/view").await?;
    asked.problem(404, "not-found")?;
    Ok(())
}
