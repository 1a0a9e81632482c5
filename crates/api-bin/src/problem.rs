//! What goes wrong, as RFC 9457 problem documents.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented, StatusCode as Code};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use monitor_core::site::FieldProblem;
use monitor_site_file::{NotASiteFile, Place, SiteProblem};
use monitor_store::{ErrorClass, StoreError};
use schemars::JsonSchema;
use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use crate::described;

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// What kind of trouble it is. Programs tell them apart by `type`, which never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum Kind {
    InvalidRequest,
    InvalidSite,
    Unauthorized,
    Forbidden,
    TooManyFailures,
    NotFound,
    MethodNotAllowed,
    NameTaken,
    VersionConflict,
    TooLarge,
    UnsupportedMediaType,
    Misdirected,
    Busy,
    Timeout,
    Unavailable,
    Internal,
}

impl Kind {
    fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InvalidSite => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::TooManyFailures | Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NameTaken => StatusCode::CONFLICT,
            Self::VersionConflict => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Timeout | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is not valid",
            Self::InvalidSite => "The site is not valid",
            Self::Unauthorized => "A token is needed",
            Self::Forbidden => "The token is not good for this",
            Self::TooManyFailures => "Too many wrong tokens",
            Self::NotFound => "There is no such thing",
            Self::MethodNotAllowed => "The method is not allowed here",
            Self::NameTaken => "The name is taken",
            Self::VersionConflict => "It was changed meanwhile",
            Self::TooLarge => "The request is too large",
            Self::UnsupportedMediaType => "The media type is not supported",
            Self::Misdirected => "The request is for another host",
            Self::Busy => "Too many at the same time",
            Self::Timeout => "The answer took too long",
            Self::Unavailable => "The database cannot be reached",
            Self::Internal => "Something went wrong here",
        }
    }
}

/// Most errors that one document lists.
const MOST_ERRORS: usize = 1_000;

/// What is wrong with one field.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct FieldError {
    /// The field or parameter, as it was written.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) message: String,
    /// Of a site file: which site.
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<SiteOfFile>,
    /// Of a site file: the line, counted from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// The character in the line, counted from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u64>,
}

/// A site of a site file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct SiteOfFile {
    /// Its place in the list, counted from zero.
    index: usize,
    /// Its name as it was written, or else its URL; null when it has neither.
    name: Option<String>,
}

impl FieldError {
    fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            site: None,
            line: None,
            column: None,
        }
    }

    fn at(self, Place { line, column }: Place) -> Self {
        Self {
            line: Some(line),
            column: Some(column),
            ..self
        }
    }
}

impl From<FieldProblem> for FieldError {
    fn from(FieldProblem { field, message }: FieldProblem) -> Self {
        Self::new(field, message)
    }
}

impl From<SiteProblem> for FieldError {
    fn from(problem: SiteProblem) -> Self {
        let SiteProblem {
            index,
            name,
            place,
            problem,
        } = problem;
        let site = Some(SiteOfFile { index, name });
        let error = Self::from(problem).at(place);
        Self { site, ..error }
    }
}

/// Something went wrong, and is told as a document.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Document>);

/// A problem document (RFC 9457).
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
struct Document {
    /// Which kind of problem, for programs: `urn:aiven-monitor:problem:…`.
    #[serde(rename = "type")]
    kind: String,
    /// The same for people.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong this time, and what to do.
    detail: String,
    /// The fields or parameters that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The request, by the id that logs and the header `X-Request-Id` have.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip)]
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let name: &str = kind.into();
        Self(Box::new(Document {
            kind: format!("urn:aiven-monitor:problem:{name}"),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            instance: None,
            header: None,
        }))
    }

    fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// One parameter, or the body as a whole, is wrong.
    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let error = FieldError::new(field, message);
        let detail = format!("{}: {}", error.field, error.message);
        Self::new(Kind::InvalidRequest, detail).with_errors(vec![error])
    }

    /// Nothing is known of a site.
    pub(crate) fn no_such_site() -> Self {
        Self::new(
            Kind::NotFound,
            "There is no such site; GET /api/v1/sites lists those there are.",
        )
    }

    /// A site has fields that cannot be.
    pub(crate) fn invalid_site(problems: Vec<FieldProblem>) -> Self {
        let detail: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let errors = problems.into_iter().map(FieldError::from).collect();
        Self::new(Kind::InvalidSite, detail.join("; ")).with_errors(errors)
    }

    /// The body is no site file.
    pub(crate) fn not_a_site_file(problem: &NotASiteFile) -> Self {
        let error = FieldError::new("body", &*problem.message).at(problem.place);
        Self::new(Kind::InvalidRequest, format!("body: {problem}")).with_errors(vec![error])
    }

    /// Sites of a site file have fields that cannot be.
    pub(crate) fn invalid_sites(problems: Vec<SiteProblem>) -> Self {
        let detail = match problems.len() {
            1 => "1 field of a site is wrong; nothing was imported".to_owned(),
            count @ ..=MOST_ERRORS => {
                format!("{count} fields of sites are wrong; nothing was imported")
            }
            count => format!(
                "{count} fields of sites are wrong, of which these are the first {MOST_ERRORS}; \
                 nothing was imported"
            ),
        };
        let told = problems.into_iter().take(MOST_ERRORS);
        let errors = told.map(FieldError::from).collect();
        Self::new(Kind::InvalidSite, detail).with_errors(errors)
    }

    /// Says how to authenticate.
    pub(crate) fn unauthorized(detail: &str) -> Self {
        let scheme = HeaderValue::from_static("Bearer");
        Self::new(Kind::Unauthorized, detail).with_header(WWW_AUTHENTICATE, scheme)
    }

    /// Says when to come again.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.with_header(RETRY_AFTER, seconds.into())
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.header = Some((name, value));
        self
    }

    /// The answer that tells it to a client, who knows the request by `id`.
    pub(crate) fn tell(mut self, id: Option<&str>) -> Response {
        self.0.instance = id.map(|id| format!("urn:request:{id}"));
        let status = StatusCode::from_u16(self.0.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        if let Some((name, value)) = self.0.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// The problem travels as an extension; the outermost layer tells it, since that one knows the id of
/// the request.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = ().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error.class() {
            ErrorClass::Reconnect | ErrorClass::Retry => {
                tracing::warn!("not answered: {error}");
                let detail = "The database is away or overloaded; nothing was changed. Try again.";
                Self::new(Kind::Unavailable, detail).retry_after(1)
            }
            ErrorClass::TooSlow => {
                tracing::warn!("not answered: {error}");
                let detail = "The database took too long: ask for a shorter range or fewer sites.";
                Self::new(Kind::Timeout, detail)
            }
            _ => {
                tracing::error!("not answered: {error}");
                let detail = "The server's log says what; look for the id of this request there.";
                Self::new(Kind::Internal, detail)
            }
        }
    }
}

impl OperationOutput for Problem {
    type Inner = Self;

    fn operation_response(context: &mut GenContext, _: &mut Operation) -> Option<Documented> {
        let media = described::content_of::<Document>(context);
        let problem = described::response("A problem (RFC 9457)", MEDIA_TYPE, media);
        Some(problem)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        described::only(None, Self::operation_response(context, operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_documented_with_its_status() {
        let documentation = include_str!("../../../docs/api.md");
        for kind in Kind::VARIANTS {
            let (name, status): (&str, _) = (kind.into(), kind.status().as_u16().to_string());
            let told = |row: &str| {
                row.starts_with('|') && row.contains(&format!("`{name}`")) && row.contains(&status)
            };
            assert!(documentation.lines().any(told), "{status} {name}");
        }
    }
}
