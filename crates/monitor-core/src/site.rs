//! What is monitored, and how: the one definition behind the site file, the API and the table.

mod fields;
mod json;
mod parse;
mod secret;
mod status;
mod url;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, Method};
use regex::bytes::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

pub use self::fields::{FIELDS, FieldProblem};
pub use self::secret::SecretText;
pub use self::status::StatusRule;
pub use self::url::SiteUrl;
use crate::region::Region;

/// Identifies a site; assigned by the database.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct SiteId(pub i64);

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A site as it is stored: its configuration under an id.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// What to check.
    pub config: SiteConfig,
}

/// What to check, how, how often, and what to expect. Every value has been validated.
///
/// Built by [`SiteConfig::from_json`] from a site file, an API request or a table row; `Debug`
/// shows no header value, body or key.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteConfig {
    /// Unique name for people; the host of the URL by default.
    pub name: String,
    /// Where the request goes.
    pub url: SiteUrl,
    /// Request method; GET by default.
    pub method: Method,
    /// Request headers, marked sensitive.
    pub headers: HeaderMap,
    /// Request body.
    pub body: Option<SecretText>,
    /// Time between two checks, at least a second; 60 s by default.
    pub interval: Duration,
    /// Deadline of a whole check, at most the interval; 10 s by default.
    pub timeout: Duration,
    /// Accepted status codes; 200–299 by default.
    pub expect_status: StatusRule,
    /// Must match the body.
    pub content_regex: Option<Pattern>,
    /// Must not match the body.
    pub content_regex_absent: Option<Pattern>,
    /// Headers of which some value must match.
    pub expect_headers: Vec<HeaderRule>,
    /// JSONPath queries that must each select something.
    pub expect_json: Vec<JsonQuery>,
    /// A slower answer is `degraded`.
    pub max_response_time: Option<Duration>,
    /// How many redirects to follow; 0 follows none.
    pub redirects: u8,
    /// Which addresses to connect to.
    pub ip_family: IpFamily,
    /// Which HTTP version to speak.
    pub http_version: HttpVersion,
    /// Whether an untrusted certificate is a failure.
    pub tls_verify: bool,
    /// Certificate authorities to trust instead of the system's, in PEM.
    pub tls_ca: Option<String>,
    /// Client certificate chain and key, in PEM.
    pub tls_client_cert: Option<SecretText>,
    /// A certificate that ends sooner is `degraded`; 14 days by default.
    pub cert_expiry_warning: Duration,
    /// Most decoded bytes of the body that are read; 1 MiB by default.
    pub body_limit: u64,
    /// Immediate retries on a fresh connection before the verdict; 0 by default.
    pub retries: u8,
    /// Regions that check this site; all when empty.
    pub regions: Vec<Region>,
    /// Whether it is checked at all.
    pub enabled: bool,
    /// For grouping and filtering.
    pub tags: Vec<String>,
}

impl SiteConfig {
    /// Whether a checker in `region` checks this site.
    #[must_use]
    pub fn is_checked_from(&self, region: &Region) -> bool {
        self.enabled && (self.regions.is_empty() || self.regions.contains(region))
    }

    /// Whether the site has a rule about its content.
    #[must_use]
    pub fn has_content_rule(&self) -> bool {
        self.content_regex.is_some() || self.content_regex_absent.is_some()
    }
}

/// Which addresses of a host to connect to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum IpFamily {
    /// IPv4 and IPv6.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// Which HTTP version to speak.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString, IntoStaticStr, VariantArray,
)]
pub enum HttpVersion {
    /// HTTP/2 where the server offers it through ALPN, else HTTP/1.1.
    #[default]
    #[strum(serialize = "auto")]
    Auto,
    /// HTTP/1.1.
    #[strum(serialize = "1.1")]
    Http1,
    /// HTTP/2, with prior knowledge on plain-text connections.
    #[strum(serialize = "2")]
    Http2,
}

/// A header of which some value must match.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderRule {
    /// The header's name.
    pub name: HeaderName,
    /// What one of its values must match.
    pub pattern: Pattern,
}

/// A regular expression over bytes, bounded when compiled and linear when searched.
///
/// Shared when cloned: a clone of a [`Regex`] would start with an empty cache of its own.
#[derive(Clone, Debug)]
pub struct Pattern(Arc<Regex>);

/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 1024;
/// Most memory of a compiled pattern, in bytes.
const MAX_PROGRAM: usize = 256 * 1024;
/// Most memory that a search may cache, in bytes.
const MAX_DFA: usize = 1024 * 1024;

impl Pattern {
    /// Compiles a pattern; the error says what is wrong in one line.
    pub fn new(pattern: &str) -> Result<Self, String> {
        if pattern.len() > MAX_PATTERN {
            return Err(format!(
                "the pattern has {} bytes, more than {MAX_PATTERN}",
                pattern.len()
            ));
        }
        RegexBuilder::new(pattern)
            .size_limit(MAX_PROGRAM)
            .dfa_size_limit(MAX_DFA)
            .nest_limit(50)
            .build()
            .map(|regex| Self(Arc::new(regex)))
            .map_err(|error| one_line(&error))
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it matches anywhere in `haystack`.
    #[must_use]
    pub fn is_match(&self, haystack: &[u8]) -> bool {
        self.0.is_match(haystack)
    }
}

/// The last line of a regex error is the reason; those before it draw the pattern.
fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default();
    format!(
        "not a regular expression: {}",
        reason.trim_start_matches("error: ")
    )
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// A JSONPath query (RFC 9535).
#[derive(Clone, Debug, PartialEq)]
pub struct JsonQuery(Arc<serde_json_path::JsonPath>);

impl JsonQuery {
    /// Parses a query; the error says what is wrong in one line.
    pub fn new(query: &str) -> Result<Self, String> {
        serde_json_path::JsonPath::parse(query)
            .map(|path| Self(Arc::new(path)))
            .map_err(|error| format!("{query:?} is not a JSONPath query: {error}"))
    }

    /// Whether the query selects anything in `document`.
    #[must_use]
    pub fn selects(&self, document: &serde_json::Value) -> bool {
        !self.0.query(document).is_empty()
    }
}

impl fmt::Display for JsonQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
