//! `admin migrate`.

use monitor_config::Environment;
use monitor_store::{DatabaseSettings, migrate};

use crate::output::print;
use crate::settings;

pub(crate) async fn run(environment: &Environment) -> anyhow::Result<()> {
    let database = settings::load::<DatabaseSettings>(environment)?;
    let report = migrate(&mut database.connect("admin").await?).await?;
    if report.applied.is_empty() {
        return print(format!(
            "the schema is at version {}; nothing to do",
            report.to
        ));
    }
    for migration in &report.applied {
        print(format!("applied {migration}"))?;
    }
    print(format!("the schema is at version {}", report.to))
}
