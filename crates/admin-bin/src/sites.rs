//! `admin sites`.

pub(crate) mod file;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use monitor_config::Environment;
use monitor_core::SiteConfig;
use monitor_store::{DatabaseSettings, ImportPlan, Pool, schema, sites};
use serde_json::{Value, json};

use crate::output::{print, table};
use crate::settings;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make the sites of a YAML or JSON file the monitored ones
    Import(Import),
    /// List the monitored sites
    List,
    /// Add one site
    Add(Add),
    /// Remove one site; its results stay
    Remove {
        /// Name of the site
        name: String,
    },
    /// Print all sites as a site file
    Export,
}

#[derive(Args)]
pub(crate) struct Import {
    /// Site file: `sites:` and a list
    file: PathBuf,
    /// Also remove the sites that are not in the file
    #[arg(long)]
    prune: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
pub(crate) struct Add {
    /// URL to check
    url: String,
    /// Unique name [default: the host of the URL]
    #[arg(long)]
    name: Option<String>,
    /// Time between two checks, such as 30s [default: 60s]
    #[arg(long)]
    interval: Option<String>,
}

pub(crate) async fn run(command: Command, environment: &Environment) -> anyhow::Result<ExitCode> {
    match command {
        Command::Import(arguments) => import(&arguments, environment).await?,
        Command::List => list(&connect(environment).await?).await?,
        Command::Add(arguments) => add(arguments, &connect(environment).await?).await?,
        Command::Remove { name } => remove(&name, &connect(environment).await?).await?,
        Command::Export => export(&connect(environment).await?).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn connect(environment: &Environment) -> anyhow::Result<Pool> {
    let pool = settings::load::<DatabaseSettings>(environment)?
        .pool("admin")
        .await?;
    schema::check(&pool).await?;
    Ok(pool)
}

/// The file is read first, so that its problems are told even where there is no database.
async fn import(arguments: &Import, environment: &Environment) -> anyhow::Result<()> {
    let configs = file::read(&arguments.file)?;
    let pool = connect(environment).await?;
    let plan = if arguments.dry_run {
        sites::plan_import(&pool, &configs, arguments.prune).await?
    } else {
        sites::import(&pool, &configs, arguments.prune).await?
    };
    print(describe(&plan))?;
    if arguments.dry_run {
        print("nothing was changed: this was a dry run")?;
    }
    Ok(())
}

fn describe(plan: &ImportPlan) -> String {
    let mut lines = Vec::new();
    let changed = plan.changed.iter();
    lines.extend(plan.added.iter().map(|name| format!("+ {name}")));
    lines.extend(changed.map(|site| format!("~ {} ({})", site.name, site.fields.join(", "))));
    lines.extend(plan.removed.iter().map(|name| format!("- {name}")));
    let counts = [
        (plan.added.len(), "added"),
        (plan.changed.len(), "changed"),
        (plan.unchanged.len(), "unchanged"),
        (plan.removed.len(), "removed"),
    ];
    lines.push(
        counts
            .map(|(count, what)| format!("{count} {what}"))
            .join(", "),
    );
    lines.join("\n")
}

async fn list(pool: &Pool) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for site in sites::load(pool).await? {
        rows.push(match site {
            Ok(site) => {
                let config = site.config;
                let interval = humantime::format_duration(config.interval).to_string();
                let state = if config.enabled {
                    "enabled"
                } else {
                    "disabled"
                };
                let url = config.url.to_string();
                [
                    site.id.to_string(),
                    config.name,
                    interval,
                    state.to_owned(),
                    url,
                ]
            }
            Err(invalid) => {
                let none = String::new;
                [
                    invalid.id.to_string(),
                    invalid.name.clone(),
                    none(),
                    "invalid".to_owned(),
                    invalid.to_string(),
                ]
            }
        });
    }
    print(table(["ID", "NAME", "INTERVAL", "STATE", "URL"], &rows))
}

async fn add(arguments: Add, pool: &Pool) -> anyhow::Result<()> {
    let config = from_fields([
        ("url", Some(arguments.url)),
        ("name", arguments.name),
        ("interval", arguments.interval),
    ])?;
    let id = sites::add(pool, &config).await?;
    print(format!("added {:?} as site {id}", config.name))
}

/// The site that has these fields, as texts, and the defaults of all others.
pub(crate) fn from_fields<const N: usize>(
    fields: [(&str, Option<String>); N],
) -> anyhow::Result<SiteConfig> {
    let given = fields
        .into_iter()
        .filter_map(|(field, value)| Some((field.to_owned(), json!(value?))));
    SiteConfig::from_json(&given.collect()).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("not a site: {}", problems.join("; "))
    })
}

async fn remove(name: &str, pool: &Pool) -> anyhow::Result<()> {
    let removed = sites::remove(pool, name).await?;
    removed
        .with_context(|| format!("there is no site {name:?}; `admin sites list` has the names"))?;
    print(format!("removed {name:?}; its results stay"))
}

async fn export(pool: &Pool) -> anyhow::Result<()> {
    let mut exported = Vec::new();
    for site in sites::load(pool).await? {
        exported.push(without_defaults(&site?.config));
    }
    print(serde_saphyr::to_string(&json!({ "sites": exported }))?.trim_end())
}

/// The fields that say something: name, URL, and whatever is not the default.
fn without_defaults(config: &SiteConfig) -> Value {
    let named = json!({"name": config.name, "url": config.url.as_url().as_str()});
    let minimal = named.as_object().cloned().unwrap_or_default();
    let defaults = SiteConfig::from_json(&minimal)
        .map(|site| site.to_json())
        .unwrap_or_default();
    let says_something = |(field, value): &(String, Value)| {
        minimal.contains_key(field) || defaults.get(field) != Some(value)
    };
    Value::Object(
        config
            .to_json()
            .into_iter()
            .filter(says_something)
            .collect(),
    )
}
