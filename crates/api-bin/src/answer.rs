//! Answers that are not simply `200` with JSON.

mod events;
mod json;
mod text;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented, StatusCode as Code};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};

pub(crate) use self::events::EventStream;
pub(crate) use self::json::JsonText;
pub(crate) use self::text::{PrometheusText, Svg};
use crate::described;

/// Something was made, and is there now.
pub(crate) struct Created<T> {
    /// Where.
    pub(crate) location: String,
    /// What it is.
    pub(crate) body: T,
}

impl<T: IntoResponse> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(LOCATION, self.location)], self.body).into_response()
    }
}

impl<T: OperationOutput> OperationOutput for Created<T> {
    type Inner = T::Inner;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<Documented> {
        T::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        described::only(Some(201), T::operation_response(context, operation))
    }
}

/// It is done, and there is nothing to say.
pub(crate) struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl OperationOutput for NoContent {
    type Inner = Self;

    fn inferred_responses(
        _: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        described::only(Some(204), Some(described::empty("It is done")))
    }
}
