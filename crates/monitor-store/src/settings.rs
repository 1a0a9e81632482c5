//! The environment of a database client.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::time::Duration;

use monitor_config::{Problem, Secret, Section, Variable};
use serde::Deserialize;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use tokio::time::timeout;
use url::Url;

use crate::error::StoreError;

/// Longest wait for a server to answer to a new connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for a connection of the pool.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Oldest connection of a pool: after a failover, none clings to the old server for long.
const MAX_LIFETIME: Duration = Duration::from_mins(15);
/// A connection that has rested for longer is asked whether it is still there before it is used. Each was
/// asked when it was given back.
const RESTED: Duration = Duration::from_secs(1);
/// Most connections of a pool: readers of ours ask one thing at a time.
const POOL_SIZE: u32 = 4;

/// The parameters that a URL may have, besides `options[NAME]`; what the driver does not know it
/// would log with its value and ignore.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "statement-cache-capacity",
    "options",
];

/// Which database, and as whom.
#[derive(Clone, Debug, Deserialize)]
pub struct DatabaseSettings {
    database_url: Secret,
}

impl Section for DatabaseSettings {
    const PREFIX: &'static str = "";
    const OWNED_PREFIX: &'static str = "DATABASE_";
    const VARIABLES: &'static [Variable] = &[Variable::required(
        "DATABASE_URL",
        "postgres://user:password@host:port/db; for verified TLS with \
         ?sslmode=verify-full&sslrootcert=.keys/pg-ca.pem",
    )
    .example("postgres://monitor:monitor@localhost:5432/monitor")
    .secret()];

    fn validate(&self) -> Vec<Problem> {
        let problem = url_problem(self.database_url.expose());
        problem
            .into_iter()
            .map(|problem| Problem::new("DATABASE_URL", problem))
            .collect()
    }
}

/// What is wrong with the URL, in words that hold nothing of it but its harmless parts.
fn url_problem(text: &str) -> Option<String> {
    let Ok(url) = Url::parse(text) else {
        return Some("is not a URL such as postgres://user:password@host:5432/db".to_owned());
    };
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Some(format!(
            "has the scheme {:?}, expected postgres",
            url.scheme()
        ));
    }
    if url.path().trim_matches('/').is_empty() {
        return Some("names no database: it ends with /NAME".to_owned());
    }
    unusable_parameter(&url).or_else(|| {
        text.parse::<PgConnectOptions>().err().map(|_| {
            "has a parameter with a value that it cannot have; sslmode is one of disable, allow, \
             prefer, require, verify-ca, verify-full"
                .to_owned()
        })
    })
}

fn unusable_parameter(url: &Url) -> Option<String> {
    let parameters: HashMap<_, _> = url.query_pairs().collect();
    let known = |name: &str| PARAMETERS.contains(&name) || name.starts_with("options[");
    if let Some(name) = parameters.keys().find(|name| !known(name)) {
        return Some(format!(
            "has the parameter {name:?}; those that are known are {}",
            PARAMETERS.join(", ")
        ));
    }
    for name in ["sslrootcert", "sslcert", "sslkey"] {
        let Some(path) = parameters.get(name) else {
            continue;
        };
        if let Err(error) = std::fs::File::open(path.as_ref()) {
            return Some(format!("its {name} {path} cannot be read: {error}"));
        }
    }
    let sslmode = parameters.get("sslmode").map(AsRef::as_ref);
    let verifies = matches!(sslmode, Some("verify-ca" | "verify-full"));
    (parameters.contains_key("sslrootcert") && !verifies)
        .then(|| "has an sslrootcert, which does nothing without sslmode=verify-full".to_owned())
}

impl DatabaseSettings {
    /// One connection of its own. `application` names it in `pg_stat_activity`.
    pub async fn connect(&self, application: &str) -> Result<PgConnection, StoreError> {
        let options = self.options(application)?;
        let connected = timeout(CONNECT_TIMEOUT, options.connect()).await;
        connected
            .unwrap_or_else(|_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into())))
            .map_err(|source| self.unreachable(source))
    }

    /// A small pool; one connection is made at once, so that trouble shows here.
    pub async fn pool(&self, application: &str) -> Result<PgPool, StoreError> {
        self.pool_of(application, POOL_SIZE).await
    }

    /// The same of at most so many connections.
    pub async fn pool_of(&self, application: &str, most: u32) -> Result<PgPool, StoreError> {
        // Not by the pool: all that it says of a server that refuses is that time is up.
        let first = self.connect(application).await?;
        drop(first.close().await);
        let options = self.options(application)?.options([
            ("statement_timeout", "30s"),
            ("plan_cache_mode", "force_generic_plan"),
        ]);
        Ok(PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .max_lifetime(MAX_LIFETIME)
            .test_before_acquire(false)
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    if metadata.idle_for > RESTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options))
    }

    fn options(&self, application: &str) -> Result<PgConnectOptions, StoreError> {
        let options: PgConnectOptions = self
            .database_url
            .expose()
            .parse()
            .map_err(|source| self.unreachable(source))?;
        Ok(options.application_name(application).options([
            ("jit", "off"),
            ("lock_timeout", "10s"),
            // Less than the deadline of a transaction of ours: what is left of one that was cut off is
            // gone, with its locks, when the same is tried again.
            ("idle_in_transaction_session_timeout", "15s"),
        ]))
    }

    /// Host and port, for messages.
    fn server(&self) -> String {
        let url = Url::parse(self.database_url.expose()).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("localhost");
        let port = url.as_ref().and_then(Url::port).unwrap_or(5432);
        format!("{host}:{port}")
    }

    fn unreachable(&self, source: sqlx::Error) -> StoreError {
        StoreError::Connect {
            server: self.server(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use monitor_config::Environment;

    use super::*;

    fn problem(url: &str) -> Option<String> {
        let environment = Environment::from_pairs([("DATABASE_URL", url)]);
        environment
            .load::<DatabaseSettings>()
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn an_ordinary_url_is_accepted_and_never_shown() {
        let url = "postgres://monitor:hunter2@db.example:5433/monitor?sslmode=require";
        let environment = Environment::from_pairs([("DATABASE_URL", url)]);
        let settings = environment.load::<DatabaseSettings>().unwrap();
        assert_eq!(settings.server(), "db.example:5433");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn what_cannot_work_is_told_without_the_password() {
        for (url, named) in [
            ("hunter2", "not a URL"),
            ("mysql://u:hunter2@h/d", "scheme \"mysql\""),
            ("postgres://u:hunter2@h", "names no database"),
            ("postgres://u:hunter2@h/d?sslmode=verify", "sslmode"),
            (
                "postgres://u:hunter2@h/d?sslmode=require&sslrootcert=Cargo.toml",
                "verify-full",
            ),
            ("postgres://u@h/d?passwort=hunter2", "\"passwort\""),
            ("postgres://u:hunter2@h/d?port=hunter2", "value"),
            ("postgres://u:hunter2@h:99999/d", "not a URL"),
            (
                "postgres://u:hunter2@h/d?sslmode=verify-full&sslrootcert=no/ca.pem",
                "no/ca.pem",
            ),
        ] {
            let problem = problem(url).unwrap();
            assert!(problem.contains(named), "{url}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn the_table_fits_the_struct() {
        assert_eq!(
            monitor_config::table_mistakes::<DatabaseSettings>(),
            [""; 0]
        );
    }
}
