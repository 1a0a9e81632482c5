//! Pieces of the OpenAPI document that the types of requests and answers share.

use aide::generate::GenContext;
use aide::openapi::{
    HeaderStyle, MediaType, Operation, Parameter, ParameterData, ParameterSchemaOrContent,
    Response, SchemaObject, StatusCode,
};
use aide::operation::add_parameters;
use schemars::JsonSchema;

/// A content that is what `T` is.
pub(crate) fn content_of<T: JsonSchema>(context: &mut GenContext) -> MediaType {
    MediaType {
        schema: Some(schema_of::<T>(context)),
        ..MediaType::default()
    }
}

/// An answer with one kind of content.
pub(crate) fn response(description: &str, media_type: &str, content: MediaType) -> Response {
    Response {
        description: description.to_owned(),
        content: [(media_type.to_owned(), content)].into_iter().collect(),
        ..Response::default()
    }
}

/// An answer without content.
pub(crate) fn empty(description: &str) -> Response {
    Response {
        description: description.to_owned(),
        ..Response::default()
    }
}

/// What an operation is answered with, by status; without one, in all other cases.
pub(crate) fn only(
    status: Option<u16>,
    response: Option<Response>,
) -> Vec<(Option<StatusCode>, Response)> {
    let status = status.map(StatusCode::Code);
    response
        .into_iter()
        .map(|response| (status.clone(), response))
        .collect()
}

/// Says that an operation looks at a header.
pub(crate) fn add_header(
    context: &mut GenContext,
    operation: &mut Operation,
    name: &str,
    about: &str,
) {
    let parameter = Parameter::Header {
        parameter_data: ParameterData {
            name: name.to_owned(),
            description: Some(about.to_owned()),
            required: false,
            deprecated: None,
            format: ParameterSchemaOrContent::Schema(schema_of::<String>(context)),
            example: None,
            examples: [].into(),
            explode: None,
            extensions: [].into(),
        },
        style: HeaderStyle::Simple,
    };
    add_parameters(context, operation, [parameter]);
}

fn schema_of<T: JsonSchema>(context: &mut GenContext) -> SchemaObject {
    SchemaObject {
        json_schema: context.schema.subschema_for::<T>(),
        external_docs: None,
        example: None,
    }
}
