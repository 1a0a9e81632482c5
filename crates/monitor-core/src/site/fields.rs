//! Reading a JSON object field by field, so that every problem is found and named at once.

use std::fmt;

use serde_json::{Map, Value};

/// The fields of a site, in the order in which they are documented.
pub const FIELDS: &[&str] = &[
    "name",
    "url",
    "method",
    "headers",
    "body",
    "interval",
    "timeout",
    "expect_status",
    "content_regex",
    "content_regex_absent",
    "expect_headers",
    "expect_json",
    "max_response_time",
    "redirects",
    "ip_family",
    "http_version",
    "tls_verify",
    "tls_ca",
    "tls_client_cert",
    "cert_expiry_warning",
    "body_limit",
    "retries",
    "regions",
    "enabled",
    "tags",
];

/// What is wrong with one field of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field, as it was written.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// The fields of one object, and what was found wrong so far.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    problems: Vec<FieldProblem>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(map: &'a Map<String, Value>) -> Self {
        let unknown = map.keys().filter(|key| !FIELDS.contains(&key.as_str()));
        let problems = unknown
            .map(|key| FieldProblem {
                field: key.clone(),
                message: unknown_field(key),
            })
            .collect();
        Self { map, problems }
    }

    /// The parsed value of a field; `None` when it is absent, `null` or wrong.
    pub(super) fn optional<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.map.get(field).filter(|value| !value.is_null())?;
        parse(value)
            .map_err(|message| self.problem(field, message))
            .ok()
    }

    pub(super) fn or<T>(
        &mut self,
        field: &'static str,
        default: T,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> T {
        self.optional(field, parse).unwrap_or(default)
    }

    pub(super) fn is_set(&self, field: &str) -> bool {
        self.map.get(field).is_some_and(|value| !value.is_null())
    }

    pub(super) fn problem(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(FieldProblem {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    pub(super) fn into_problems(self) -> Vec<FieldProblem> {
        self.problems
    }
}

fn unknown_field(field: &str) -> String {
    let similarity = |known: &&&str| strsim::jaro_winkler(field, known);
    let nearest = FIELDS
        .iter()
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match nearest.filter(|known| similarity(known) > 0.75) {
        Some(known) => format!("unknown field; did you mean {known:?}?"),
        None => format!("unknown field; the fields are {}", FIELDS.join(", ")),
    }
}
