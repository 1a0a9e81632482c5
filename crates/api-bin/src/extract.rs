//! Reading requests, so that whatever is wrong is a problem that names it.

mod site_file;

use std::collections::HashSet;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{Operation, RequestBody};
use aide::operation::{ParamLocation, add_parameters, parameters_from_schema, set_body};
use axum::body::Bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use monitor_store::feed::FeedPosition;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

pub(crate) use self::site_file::{MAX_SITE_FILE, SiteFileBody};
use crate::described::{add_header, content_of};
use crate::problem::{Kind, Problem};
use crate::wire::SiteDocument;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The parameters after `?`. One that is not known, or is given twice, is refused.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        let pairs = || form_urlencoded::parse(text.as_bytes());
        let mut names = HashSet::new();
        for (name, value) in pairs() {
            // No text of PostgreSQL can hold it.
            if name.contains('\0') || value.contains('\0') {
                let name = name.replace('\0', "\u{fffd}");
                return Err(Problem::field(name, "holds a NUL character"));
            }
            if !names.insert(name.clone()) {
                return Err(Problem::field(name, "is given twice"));
            }
        }
        let deserializer = serde_urlencoded::Deserializer::new(pairs());
        serde_path_to_error::deserialize(deserializer)
            .map(Self)
            .map_err(|error| {
                let field = error.path().to_string();
                Problem::field(field, error.into_inner().to_string())
            })
    }
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = context.schema.subschema_for::<T>();
        let parameters = parameters_from_schema(context, schema, ParamLocation::Query);
        add_parameters(context, operation, parameters);
    }
}

/// What the path says.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0))
            .map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &PathRejection) -> Problem {
    if let PathRejection::FailedToDeserializePathParams(inner) = error
        && let ErrorKind::ParseErrorAtKey { key, value, .. }
        | ErrorKind::DeserializeError { key, value, .. } = inner.kind()
    {
        return Problem::field(key, format!("{value:?} is not one"));
    }
    Problem::field("path", error.body_text())
}

impl<T: JsonSchema> OperationInput for Path<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        axum::extract::Path::<T>::operation_input(context, operation);
    }
}

/// Where somebody was in a stream of events.
pub(crate) struct LastEventId(pub(crate) Option<FeedPosition>);

impl<S: Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let id = parts
            .headers
            .get(LAST_EVENT_ID)
            .map(|id| id.to_str().unwrap_or_default());
        // Browsers send an empty one when they have got none.
        let id = id.filter(|id| !id.is_empty());
        let position = id.map(str::parse).transpose();
        position
            .map(Self)
            .map_err(|_| Problem::field("Last-Event-ID", "is no id of an event of this stream"))
    }
}

impl OperationInput for LastEventId {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let about = "The id of the last event that you got: what was stored since comes first.";
        add_header(context, operation, "Last-Event-ID", about);
    }
}

/// A site in the body: the fields as they were written, not validated yet.
pub(crate) struct SiteBody(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for SiteBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if media_type(request.headers()) != "application/json" {
            let detail = "The body has to be JSON: send Content-Type: application/json.";
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| refused(&error, "A site has at most 1 MiB."))?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Problem::field(
                "body",
                "expected a JSON object with the fields of a site",
            )),
            Err(error) => Err(Problem::field("body", format!("not JSON: {error}"))),
        }
    }
}

/// What the body is, in lower case and without parameters.
fn media_type(headers: &HeaderMap) -> String {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next();
    essence.unwrap_or_default().trim().to_ascii_lowercase()
}

fn refused(error: &BytesRejection, most: &str) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(Kind::TooLarge, most)
    } else {
        Problem::field("body", "could not be read to its end")
    }
}

impl OperationInput for SiteBody {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let media = content_of::<SiteDocument>(context);
        let body = RequestBody {
            description: Some(
                "The fields of a site; those that are left out have their defaults.".to_owned(),
            ),
            content: [("application/json".to_owned(), media)]
                .into_iter()
                .collect(),
            required: true,
            ..RequestBody::default()
        };
        set_body(context, operation, body);
    }
}
