//! Environment of the API.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::HeaderValue;
use ipnet::IpNet;
use monitor_auth::{Grant, Grants};
use monitor_config::{Problem, Section, Variable};
use serde::Deserialize;
use url::Url;

/// The API's own settings.
#[derive(Debug, Clone, Deserialize)]
pub struct ApiSettings {
    /// Where it listens.
    #[serde(deserialize_with = "monitor_config::socket_address")]
    pub(crate) listen: SocketAddr,
    /// Who may do what; nobody in particular when empty.
    #[serde(default, deserialize_with = "monitor_config::list")]
    pub(crate) tokens: Vec<Grant>,
    /// Whether asking takes no token even when there are some.
    pub(crate) public_reads: bool,
    /// Pages of other origins that may call from a browser.
    #[serde(default, deserialize_with = "monitor_config::list")]
    pub(crate) cors_origins: Vec<HeaderValue>,
    /// Deadline of an answer.
    #[serde(deserialize_with = "monitor_config::duration")]
    pub(crate) request_timeout: Duration,
    /// Most connections of clients at the same time.
    pub(crate) max_connections: usize,
    /// Most streams of events at the same time.
    pub(crate) max_streams: usize,
    /// Most connections to the database.
    pub(crate) database_connections: u32,
    /// Most sites that `/metrics` tells of.
    pub(crate) metrics_max_sites: u32,
    /// Tags whose sites everybody may see on a page.
    #[serde(default, deserialize_with = "monitor_config::list")]
    pub(crate) status_pages: Vec<String>,
    /// What these pages are called.
    pub(crate) status_title: String,
    /// Where others reach the API; scheme, host and port.
    pub(crate) public_url: Option<Url>,
    /// Whether `POST /api/v1/probe` may go to private addresses.
    pub(crate) allow_private_targets: bool,
    /// Private networks that it may go to.
    #[serde(default, deserialize_with = "monitor_config::list")]
    pub(crate) allowed_networks: Vec<IpNet>,
}

impl Section for ApiSettings {
    const PREFIX: &'static str = "API_";
    const VARIABLES: &'static [Variable] = &[
        Variable::with_default(
            "API_LISTEN",
            "127.0.0.1:8080",
            "address of the API; beyond loopback it takes API_TOKENS",
        ),
        Variable::optional(
            "API_TOKENS",
            "who may do what, comma separated, each as `admin tokens create` prints it",
        )
        .example("dashboard:read:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae")
        .secret(),
        Variable::with_default(
            "API_PUBLIC_READS",
            "false",
            "true lets everybody read without a token; changes still take one once there is one",
        ),
        Variable::optional(
            "API_CORS_ORIGINS",
            "origins of other pages that may call from a browser, comma separated",
        )
        .example("https://status.example"),
        Variable::with_default(
            "API_REQUEST_TIMEOUT",
            "30s",
            "longest time that an answer takes",
        ),
        Variable::with_default(
            "API_MAX_CONNECTIONS",
            "1000",
            "most clients at the same time; more wait to be let in",
        ),
        Variable::with_default(
            "API_MAX_STREAMS",
            "500",
            "most of them that follow checks as they are stored",
        ),
        Variable::with_default(
            "API_DATABASE_CONNECTIONS",
            "8",
            "most connections to the database",
        ),
        Variable::with_default(
            "API_METRICS_MAX_SITES",
            "10000",
            "most sites that the Prometheus metrics tell of; more are left out, and counted",
        ),
        Variable::optional(
            "API_STATUS_PAGES",
            "tags whose sites everybody may see at /status, comma separated, also where reading takes a token",
        )
        .example("public,shop"),
        Variable::with_default(
            "API_STATUS_TITLE",
            "Status",
            "what these pages are called",
        ),
        Variable::optional(
            "API_PUBLIC_URL",
            "where others reach the API: status pages tell it with the badges that they offer",
        )
        .example("https://status.example"),
        Variable::with_default(
            "API_ALLOW_PRIVATE_TARGETS",
            "false",
            "true lets probes go to private, loopback and other internal addresses",
        ),
        Variable::optional(
            "API_ALLOWED_NETWORKS",
            "such addresses that probes may go to all the same, comma separated networks",
        )
        .example("10.0.0.0/8,fd00::/8"),
    ];

    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Err(error) = Grants::new(self.tokens.clone()) {
            problems.push(Problem::new("API_TOKENS", error.to_string()));
        }
        if self.tokens.is_empty() && !self.listen.ip().is_loopback() {
            let problem = "is needed to listen beyond loopback: without tokens anybody could change \
                           the sites; `admin tokens create NAME --scope write` makes one";
            problems.push(Problem::new("API_TOKENS", problem));
        }
        if !(1..=1_000).contains(&self.database_connections) {
            problems.push(Problem::new(
                "API_DATABASE_CONNECTIONS",
                "must be from 1 to 1000",
            ));
        }
        if self.max_connections == 0 {
            problems.push(Problem::new("API_MAX_CONNECTIONS", "must be at least 1"));
        }
        if HashSet::<&String>::from_iter(&self.status_pages).len() < self.status_pages.len() {
            problems.push(Problem::new("API_STATUS_PAGES", "names a tag twice"));
        }
        if self.public_url.as_ref().is_some_and(|url| !is_origin(url)) {
            problems.push(Problem::new(
                "API_PUBLIC_URL",
                "must be http or https, a host, and nothing more: https://status.example",
            ));
        }
        let timeout = Duration::from_secs(1)..=Duration::from_mins(10);
        if !timeout.contains(&self.request_timeout) {
            problems.push(Problem::new(
                "API_REQUEST_TIMEOUT",
                "must be from 1s to 10m",
            ));
        }
        problems
    }
}

/// Whether nothing follows the host and its port.
fn is_origin(url: &Url) -> bool {
    let is_web = ["http", "https"].contains(&url.scheme());
    is_web && url.as_str() == format!("{}/", url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use monitor_auth::{Scope, Token};
    use monitor_config::{Environment, table_mistakes, template_mistakes};
    use monitor_runtime::RuntimeSettings;
    use monitor_store::DatabaseSettings;

    use super::*;

    fn problems(pairs: &[(&str, &str)]) -> String {
        let environment = Environment::from_pairs(pairs.iter().copied());
        let loaded = environment.load::<ApiSettings>();
        loaded
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn beyond_loopback_it_takes_tokens() {
        for local in ["127.0.0.1:80", "[::1]:0"] {
            assert_eq!(problems(&[("API_LISTEN", local)]), "");
        }
        for public in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80"] {
            assert!(problems(&[("API_LISTEN", public)]).contains("admin tokens create"));
            let grant = Token::generate()
                .unwrap()
                .grant("ci", Scope::Read)
                .unwrap()
                .to_string();
            assert_eq!(
                problems(&[("API_LISTEN", public), ("API_TOKENS", &grant)]),
                ""
            );
        }
    }

    #[test]
    fn a_token_in_place_of_its_hash_is_refused_and_not_shown() {
        let problem = problems(&[("API_TOKENS", "amt_hunter2")]);
        assert!(
            problem.contains("API_TOKENS") && !problem.contains("hunter2"),
            "{problem}"
        );
    }

    #[test]
    fn a_status_page_is_named_once() {
        let told = problems(&[("API_STATUS_PAGES", "a, b,a")]);
        assert!(told.contains("names a tag twice"), "{told}");
        assert_eq!(problems(&[("API_STATUS_PAGES", "a,A")]), "");
    }

    #[test]
    fn the_public_url_is_where_paths_begin() {
        for whole in ["https://status.example", "http://127.0.0.1:8080/"] {
            assert_eq!(problems(&[("API_PUBLIC_URL", whole)]), "");
        }
        for more in [
            "https://status.example/monitor",
            "https://user@status.example",
            "https://status.example/?a",
            "ftp://status.example",
            "status.example",
        ] {
            let told = problems(&[("API_PUBLIC_URL", more)]);
            assert!(told.contains("API_PUBLIC_URL"), "{more}: {told}");
        }
    }

    #[test]
    fn the_table_fits_the_struct_and_the_template() {
        type All = (ApiSettings, DatabaseSettings, RuntimeSettings);
        assert_eq!(table_mistakes::<ApiSettings>(), [""; 0]);
        let template = include_str!("../../../.env.template");
        assert_eq!(template_mistakes::<All>(template), [""; 0]);
    }
}
