//! `admin probe`: one check now, of which nothing is stored.

mod waterfall;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use monitor_config::Environment;
use monitor_core::{CheckEvent, Outcome, Region, SiteConfig, SiteId, Slot};
use monitor_probe::{IpNet, Prober, ProberSettings, RevocationLists};

use crate::output::print;
use crate::settings;
use crate::sites::{file, from_fields};

/// What no site has: an event of a probe cannot be taken for one of a site.
const NO_SITE: SiteId = SiteId(0);

#[derive(Args)]
pub(crate) struct Probe {
    /// URL to check
    #[arg(required_unless_present = "site", conflicts_with = "site")]
    url: Option<String>,
    /// Check the sites of this file (YAML or JSON) with all their rules
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// Print the event of each check as JSON, one per line
    #[arg(long)]
    json: bool,
    /// Connect to private, loopback and other internal addresses too
    #[arg(long)]
    allow_private: bool,
    /// Connect to these networks although they are not public
    #[arg(long, value_name = "NETWORK", value_delimiter = ',')]
    allow: Vec<IpNet>,
    /// Certificate revocation lists to heed: files, or folders of them
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    crl: Vec<PathBuf>,
}

pub(crate) async fn run(probe: Probe, environment: &Environment) -> anyhow::Result<ExitCode> {
    settings::load::<()>(environment)?;
    let sites = match (&probe.url, &probe.site) {
        (_, Some(path)) => file::read(path)?,
        (url, None) => vec![from_fields([("url", url.clone())])?],
    };
    let prober = Prober::new(&ProberSettings {
        allow_private_targets: probe.allow_private,
        allowed_networks: probe.allow,
        revocation_lists: revocation_lists(&probe.crl)?,
        ..ProberSettings::default()
    })?;
    let colours = std::io::stdout().is_terminal() && !environment.is_set("NO_COLOR");
    let mut worst = 0;
    for (number, site) in sites.iter().enumerate() {
        let event = check(&prober, site).await?;
        if probe.json {
            print(String::from_utf8_lossy(&event.encode()?))?;
        } else {
            let gap = if number == 0 { "" } else { "\n" };
            print(format!("{gap}{}", waterfall::draw(site, &event, colours)))?;
        }
        worst = worst.max(exit_code(event.outcome));
    }
    Ok(ExitCode::from(worst))
}

fn revocation_lists(files: &[PathBuf]) -> anyhow::Result<RevocationLists> {
    RevocationLists::read(files).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(errors.join("\n"))
    })
}

async fn check(prober: &Prober, site: &SiteConfig) -> anyhow::Result<CheckEvent> {
    let now = Utc::now();
    let region: Region = "local".parse()?;
    let slot = Slot {
        site_id: NO_SITE,
        region,
        scheduled_at: DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now),
    };
    Ok(prober
        .check(site, now)
        .await
        .into_event(&slot, "admin", now))
}

/// For scripts: whether the site is available, and whether we could tell.
fn exit_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Up | Outcome::Degraded => 0,
        Outcome::Down => 1,
        Outcome::Error | Outcome::Missed => 2,
    }
}
