//! A site that is monitored, and how it is.

use chrono::{DateTime, Utc};
use monitor_core::site::FieldProblem;
use monitor_core::{Failure, Outcome, Region, SiteConfig, SiteId};
use monitor_store::sites::{Condition, ListedSite, RegionState};
use monitor_store::{InvalidSite, StoredSite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SiteDocument;
use crate::problem::FieldError;

/// What stands in for a value that is not shown.
const HIDDEN: &str = "[hidden]";
/// The fields that may hold secrets.
const SECRETS: [&str; 2] = ["body", "tls_client_cert"];

/// How much of a site is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// All of it.
    Everything,
    /// Nothing of header values, body and client certificate.
    NoSecrets,
}

/// A site as it is stored.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Stored {
    /// Its id.
    id: SiteId,
    /// Grows with every change; the tag (`ETag`) of the site.
    version: i64,
    /// When it was added.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// Every field, defaults included: what a site file has, and what a `PUT` takes. Header values,
    /// body and client certificate are `[hidden]` from whoever may not change sites.
    #[schemars(with = "SiteDocument")]
    site: Map<String, Value>,
}

impl Stored {
    pub(crate) fn new(stored: &StoredSite, shown: Shown) -> Self {
        Self {
            id: stored.site.id,
            version: stored.version,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            site: fields(&stored.site.config, shown),
        }
    }
}

fn fields(config: &SiteConfig, shown: Shown) -> Map<String, Value> {
    let mut fields = config.to_json();
    if shown == Shown::NoSecrets {
        let headers = fields.get_mut("headers").and_then(Value::as_object_mut);
        let headers = headers.into_iter().flat_map(Map::values_mut);
        headers.for_each(|value| *value = HIDDEN.into());
        for secret in SECRETS {
            if let Some(value) = fields.get_mut(secret).filter(|value| !value.is_null()) {
                *value = HIDDEN.into();
            }
        }
    }
    fields
}

/// What was hidden when a site was read must not be stored in place of what it hides.
pub(crate) fn hidden_values(fields: &Map<String, Value>) -> Vec<FieldProblem> {
    let headers = fields.get("headers").and_then(Value::as_object);
    let headers = headers
        .into_iter()
        .flatten()
        .filter(|(_, value)| *value == HIDDEN);
    let headers = headers.map(|(name, _)| format!("headers.{name}"));
    let secrets = SECRETS
        .iter()
        .filter(|field| fields.get(**field).is_some_and(|value| value == HIDDEN));
    let hidden = headers.chain(secrets.map(ToString::to_string));
    let message =
        format!("{HIDDEN} stands for a value that was not shown to you: write the value itself");
    hidden
        .map(|field| FieldProblem {
            field,
            message: message.clone(),
        })
        .collect()
}

/// How a site is: the worst of what its regions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SiteCondition {
    /// It answers as expected.
    Up,
    /// It answers as expected, but something calls for attention.
    Degraded,
    /// It does not answer as expected.
    Down,
    /// There is no verdict yet.
    Pending,
}

impl From<Condition> for SiteCondition {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::Up => Self::Up,
            Condition::Degraded => Self::Degraded,
            Condition::Down => Self::Down,
            Condition::Pending => Self::Pending,
        }
    }
}

impl From<SiteCondition> for Condition {
    fn from(condition: SiteCondition) -> Self {
        match condition {
            SiteCondition::Up => Self::Up,
            SiteCondition::Degraded => Self::Degraded,
            SiteCondition::Down => Self::Down,
            SiteCondition::Pending => Self::Pending,
        }
    }
}

/// The latest result of a site in one region.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct State {
    /// Where it was checked from.
    region: Region,
    /// The latest slot that has a result.
    scheduled_at: DateTime<Utc>,
    /// How that one ended.
    outcome: Outcome,
    /// Why it was not a success.
    failure: Option<Failure>,
    /// Status code of its last response.
    status_code: Option<u16>,
    /// How long it took, in microseconds.
    total_us: Option<u32>,
    /// The latest outcome that tells something about the site: `up`, `degraded` or `down`.
    last_verdict: Option<Outcome>,
    /// The slot since which it has been available, or unavailable.
    since: Option<DateTime<Utc>>,
    /// When the certificate ends that was seen last.
    cert_not_after: Option<DateTime<Utc>>,
}

impl From<RegionState> for State {
    fn from(state: RegionState) -> Self {
        Self {
            region: state.region,
            scheduled_at: state.scheduled_at,
            outcome: state.outcome,
            failure: state.failure,
            status_code: state.status_code,
            total_us: state.total_us,
            last_verdict: state.last_verdict,
            since: state.since,
            cert_not_after: state.cert_not_after,
        }
    }
}

/// How a site is now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SiteState {
    /// The worst of what its regions say.
    condition: SiteCondition,
    /// The latest result of each region that it is checked from and has one of.
    states: Vec<State>,
}

impl From<Vec<RegionState>> for SiteState {
    fn from(states: Vec<RegionState>) -> Self {
        Self {
            condition: Condition::of(&states).into(),
            states: states.into_iter().map(State::from).collect(),
        }
    }
}

/// A site of a list, with how it is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    /// Its id.
    id: SiteId,
    /// Its name.
    name: String,
    /// The site; null when somebody has made it invalid in the database.
    stored: Option<Stored>,
    /// What is wrong with it in that case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<FieldError>,
    /// How it is.
    #[serde(flatten)]
    state: SiteState,
}

impl Listed {
    pub(crate) fn new(listed: ListedSite, shown: Shown) -> Self {
        let state = listed.states.into();
        match listed.site {
            Ok(stored) => Self {
                id: stored.site.id,
                name: stored.site.config.name.clone(),
                stored: Some(Stored::new(&stored, shown)),
                problems: Vec::new(),
                state,
            },
            Err(InvalidSite { id, name, problems }) => Self {
                id,
                name,
                stored: None,
                problems: problems.into_iter().map(FieldError::from).collect(),
                state,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn site() -> SiteConfig {
        let fields = json!({
            "url": "http://x", "method": "POST", "headers": {"authorization": "hunter2", "accept": "*/*"},
            "body": "hunter2",
        });
        SiteConfig::from_json(fields.as_object().unwrap()).unwrap()
    }

    #[test]
    fn secrets_are_shown_only_to_who_may_change_them() {
        let text = |shown| Value::from(fields(&site(), shown)).to_string();
        assert!(text(Shown::Everything).contains("hunter2"));
        assert!(!text(Shown::NoSecrets).contains("hunter2"));
        assert!(text(Shown::NoSecrets).contains("authorization"));
    }

    #[test]
    fn what_was_hidden_is_not_taken_for_a_value() {
        let problems = hidden_values(&fields(&site(), Shown::NoSecrets));
        let fields_of: Vec<_> = problems
            .iter()
            .map(|problem| problem.field.as_str())
            .collect();
        assert_eq!(
            fields_of,
            ["headers.accept", "headers.authorization", "body"]
        );
        assert_eq!(hidden_values(&fields(&site(), Shown::Everything)), []);
    }
}
