//! Who may call what. A handler takes a [`Reader`] or a [`Writer`], and so is called by nobody else.

mod failures;

use std::net::{IpAddr, SocketAddr};

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented, StatusCode as Code};
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use monitor_auth::{Grants, Scope};

use self::failures::Failures;
use crate::problem::{Kind, Problem};
use crate::state::Api;

/// The name of the scheme in the OpenAPI document.
pub(crate) const SCHEME: &str = "bearer";

/// The other end of the connection; every request has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Somebody who may ask.
pub(crate) struct Reader {
    /// Whether they may change sites too, and so may see what sites hide.
    pub(crate) may_write: bool,
}

/// Somebody who may change sites, and have probes made.
pub(crate) struct Writer;

/// Who may do what here.
pub(crate) struct Access {
    grants: Grants,
    public_reads: bool,
    failures: Failures,
}

impl Access {
    pub(crate) fn new(grants: Grants, public_reads: bool) -> Self {
        Self {
            grants,
            public_reads,
            failures: Failures::default(),
        }
    }

    /// Whether everybody may do everything: then only this machine is listened to.
    pub(crate) fn is_open(&self) -> bool {
        self.grants.is_empty()
    }

    /// Whether asking takes no token.
    pub(crate) fn lets_everybody_read(&self) -> bool {
        self.is_open() || self.public_reads
    }

    /// What who sent this may do, at least `needed`.
    fn scope(&self, parts: &Parts, needed: Scope) -> Result<Scope, Problem> {
        if self.is_open() {
            return Ok(Scope::Write);
        }
        let Some(token) = token(parts)? else {
            return match needed {
                Scope::Read if self.public_reads => Ok(Scope::Read),
                _ => Err(Problem::unauthorized(
                    "Send the header Authorization: Bearer TOKEN.",
                )),
            };
        };
        let Some(grant) = self.grants.of(token) else {
            return Err(self.unknown(parts));
        };
        if grant.scope().allows(needed) {
            return Ok(grant.scope());
        }
        let name = grant.name();
        let detail = format!(
            "The token {name:?} has the scope {}; this takes {needed}.",
            grant.scope()
        );
        Err(Problem::new(Kind::Forbidden, detail))
    }

    fn unknown(&self, parts: &Parts) -> Problem {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
        let Some(wait) = peer.and_then(|peer| self.failures.note(peer)) else {
            metrics::counter!("api_auth_failures_total", "limited" => "false").increment(1);
            return Problem::unauthorized("The token is not known here.");
        };
        metrics::counter!("api_auth_failures_total", "limited" => "true").increment(1);
        tracing::debug!(peer = ?peer.map(|peer: IpAddr| peer.to_string()), "too many wrong tokens");
        let detail = "Too many wrong tokens came from your address. Right ones still work.";
        Problem::new(Kind::TooManyFailures, detail).retry_after(wait.as_secs() + 1)
    }
}

/// The token that was sent; `None` when none was.
fn token(parts: &Parts) -> Result<Option<&str>, Problem> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let words = header
        .to_str()
        .ok()
        .and_then(|header| header.split_once(' '));
    match words {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Problem::unauthorized(
            "Authorization has to be: Bearer TOKEN.",
        )),
    }
}

impl FromRequestParts<Api> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let scope = api.access.scope(parts, Scope::Read)?;
        Ok(Self {
            may_write: scope.allows(Scope::Write),
        })
    }
}

impl FromRequestParts<Api> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        api.access.scope(parts, Scope::Write).map(|_| Self)
    }
}

impl OperationInput for Reader {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        requires(operation, Scope::Read);
    }

    fn inferred_early_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        refusals(context, operation)
    }
}

impl OperationInput for Writer {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        requires(operation, Scope::Write);
    }

    fn inferred_early_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        refusals(context, operation)
    }
}

fn requires(operation: &mut Operation, scope: Scope) {
    let requirement = [(SCHEME.to_owned(), vec![scope.to_string()])];
    operation.security.push(requirement.into_iter().collect());
}

fn refusals(
    context: &mut GenContext,
    operation: &mut Operation,
) -> Vec<(Option<Code>, Documented)> {
    let mut refusal = |status, description: &str| {
        let mut response =
            <Problem as aide::OperationOutput>::operation_response(context, operation)?;
        description.clone_into(&mut response.description);
        Some((Some(Code::Code(status)), response))
    };
    let described = [
        (401, "No token, or one that is not known"),
        (403, "The token is good for less"),
        (
            429,
            "Too many wrong tokens, or too many of these at the same time",
        ),
    ];
    described
        .into_iter()
        .filter_map(|(status, text)| refusal(status, text))
        .collect()
}
