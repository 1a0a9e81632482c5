//! A pooler between the services and the database, which gives each transaction any session.

use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use anyhow::Context as _;
use e2e::scene::{Running, Scene, ended};
use e2e::{Binary, eventually};
use local_stack::{Control, Process, Program, ReservedPort, find_service};

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts `pgbouncer` in front of the database of a scene, with two sessions for all; its port.
fn pgbouncer(scene: &Scene, further: &str) -> anyhow::Result<(Process, u16)> {
    let url = &scene.world.environment["DATABASE_URL"];
    let (user, server) = url.rsplit_once('@').context("no user in the URL")?;
    let (_, user) = user.split_once("://").context("no scheme in the URL")?;
    let (user, password) = user.split_once(':').context("no password in the URL")?;
    let (address, database) = server.split_once('/').context("no database in the URL")?;
    let (host, port) = address.split_once(':').context("no port in the URL")?;
    let listen = ReservedPort::any()?.release();
    let settings = format!(
        "[databases]\n{database} = host={host} port={port} user={user} password={password}\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {listen}\nunix_socket_dir =\n\
         auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\nuser = nobody\n{further}\n"
    );
    let file = scene.world.write("pgbouncer.ini", &settings)?;
    // It leaves the rights of root behind before it reads the file again.
    std::fs::set_permissions(scene.world.folder(), std::fs::Permissions::from_mode(0o755))?;
    let executable = find_service("pgbouncer");
    let executable = executable.context("pgbouncer is missing: `cargo xtask test` installs it")?;
    let log = scene.world.folder().join("pgbouncer.log");
    let mut process = Process::start(&Program::new("PgBouncer", executable, log).args([file]))?;
    process.wait_until_ready(&Control::default(), PATIENCE, |_| {
        TcpStream::connect((Ipv4Addr::LOCALHOST, listen)).ok()
    })?;
    Ok((process, listen))
}

#[tokio::test]
async fn a_pooler_that_knows_no_prepared_statements_is_refused_or_harmless() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    let direct = scene.world.environment["DATABASE_URL"].clone();
    let (_pooler, port) = pgbouncer(&scene, "")?;
    let address = direct
        .split_once('@')
        .and_then(|(_, rest)| rest.split_once('/'));
    let (address, _) = address.context("no server in the URL")?;
    let through = |port| direct.replace(address, &format!("127.0.0.1:{port}"));
    scene.world.set("DATABASE_URL", through(port));
    let sink = scene.world.start(Binary::Sink)?;
    // What our sessions ask for at their start is refused by old versions.
    sink.is_not_ready_because(&["database", "startup parameter"])
        .await?;
    drop(sink);

    let ignored = "ignore_startup_parameters = extra_float_digits,options";
    let (_pooler, port) = pgbouncer(&scene, ignored)?;
    scene.world.set("DATABASE_URL", through(port));
    let services = [
        scene.world.start(Binary::Checker)?,
        scene.world.start(Binary::Sink)?,
    ];
    eventually("both are ready, or one is in the other's way", || async {
        let mut ready = 0;
        for service in &services {
            let (status, told) = service.get("/readyz")?;
            ready += usize::from(status == 200);
            if told.contains("prepared statement") {
                return Ok(Some(()));
            }
        }
        Ok((ready == services.len()).then_some(()))
    })
    .await?;
    for service in services {
        ended(Running::of(service)?).await?;
    }
    // Whatever was stored through it is right.
    scene.world.set("DATABASE_URL", direct.clone());
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.verdict(checker, sink).await?;
    Ok(())
}
