//! What the files say of each other.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::board::Board;

const COMPOSE: &str = include_str!("../../../../docker-compose.yml");
const PROMETHEUS: &str = include_str!("../../../../deploy/prometheus/prometheus.yml");
const SOURCES: &str =
    include_str!("../../../../deploy/grafana/provisioning/datasources/monitor.yaml");
const PROVIDERS: &str =
    include_str!("../../../../deploy/grafana/provisioning/dashboards/monitor.yaml");

fn read(yaml: &str) -> anyhow::Result<Value> {
    Ok(serde_saphyr::from_str(yaml)?)
}

fn strings<'a>(value: &'a Value, pointer: &str) -> Vec<&'a str> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

#[test]
fn everything_is_published_on_loopback_alone_and_every_image_is_of_a_version() -> anyhow::Result<()>
{
    let compose = read(COMPOSE)?;
    let services = compose["services"].as_object().context("no services")?;
    for (name, service) in services {
        for port in strings(service, "/ports") {
            ensure!(port.starts_with("127.0.0.1:"), "{name} publishes {port}");
        }
        if service.get("build").is_none() {
            let image = service["image"].as_str().context("no image")?;
            let version = image.split_once(':').context("no version")?.1;
            ensure!(
                version.starts_with(|it: char| it.is_ascii_digit() || it == 'v'),
                "{image}"
            );
        }
    }
    Ok(())
}

#[test]
fn prometheus_scrapes_services_that_there_are() -> anyhow::Result<()> {
    let (compose, prometheus) = (read(COMPOSE)?, read(PROMETHEUS)?);
    let jobs = prometheus["scrape_configs"].as_array().context("no jobs")?;
    let mut scraped = Vec::new();
    for job in jobs {
        let fixed = strings(job, "/static_configs/0/targets");
        let hosts = fixed.iter().filter_map(|target| target.split(':').next());
        scraped.extend(hosts.chain(strings(job, "/dns_sd_configs/0/names")));
        // What is told of sites has its own instance.
        ensure!(
            (job["job_name"] == "sites") == (job["honor_labels"] == true),
            "{job}"
        );
    }
    for host in &scraped {
        ensure!(
            compose["services"].get(*host).is_some(),
            "no service {host}"
        );
    }
    ensure!(
        ["api", "checker", "sink"]
            .iter()
            .all(|name| scraped.contains(name))
    );
    Ok(())
}

#[test]
fn grafana_finds_dashboards_and_what_they_ask() -> anyhow::Result<()> {
    let (compose, sources) = (read(COMPOSE)?, read(SOURCES)?);
    let sources = sources["datasources"].as_array().context("no sources")?;
    for board in [Board::postgresql()?, Board::prometheus()?] {
        let kind = board.source()?;
        ensure!(
            sources.iter().any(|source| source["type"] == kind),
            "no {kind}"
        );
    }
    let grafana = &compose["services"]["grafana"];
    let path = read(PROVIDERS)?;
    let path = &path["providers"][0]["options"]["path"];
    let volumes = grafana["volumes"].as_array().context("no volumes")?;
    ensure!(
        volumes.iter().any(|volume| volume["target"] == *path),
        "{path}"
    );
    let variables = SOURCES.split("${").skip(1);
    for variable in variables.filter_map(|rest| rest.split('}').next()) {
        ensure!(
            grafana["environment"].get(variable).is_some(),
            "no {variable}"
        );
    }
    Ok(())
}
