//! Answers that are kept as they are sent.

use std::marker::PhantomData;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented, StatusCode as Code};
use axum::Json;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// JSON that was written already.
pub(crate) struct JsonText<T> {
    bytes: Bytes,
    of: PhantomData<T>,
}

impl<T> JsonText<T> {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            of: PhantomData,
        }
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl<T: Serialize> JsonText<T> {
    pub(crate) fn of(value: &T) -> Self {
        Self::new(serde_json::to_vec(value).unwrap_or_default().into())
    }
}

impl<T> IntoResponse for JsonText<T> {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.bytes).into_response()
    }
}

impl<T: Serialize + JsonSchema> OperationOutput for JsonText<T> {
    type Inner = T;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<Documented> {
        <Json<T> as OperationOutput>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        <Json<T> as OperationOutput>::inferred_responses(context, operation)
    }
}
