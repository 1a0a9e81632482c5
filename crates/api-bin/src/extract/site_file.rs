//! A site file in the body.

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{Operation, RequestBody};
use aide::operation::set_body;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use monitor_core::SiteConfig;
use monitor_site_file::SiteFile;
use tokio::task::spawn_blocking;

use super::{media_type, refused};
use crate::described::content_of;
use crate::problem::{Kind, Problem};
use crate::wire::{SiteFileDocument, hidden_values};

/// Most bytes of a site file: some hundred thousand sites of a few fields.
pub(crate) const MAX_SITE_FILE: usize = 16 << 20;
const MEDIA_TYPES: [&str; 3] = ["application/yaml", "text/yaml", "application/json"];

/// The sites of a site file: all of them are valid.
pub(crate) struct SiteFileBody(pub(crate) Vec<SiteConfig>);

impl<S: Send + Sync> FromRequest<S> for SiteFileBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = media_type(request.headers());
        if !MEDIA_TYPES.contains(&&*media_type) {
            let types = MEDIA_TYPES.join(", ");
            let detail = format!("The body has to be a site file: send a Content-Type of {types}.");
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| refused(&error, "A site file has at most 16 MiB."))?;
        // A large one takes a second, in which others want to be answered.
        let sites = spawn_blocking(move || read(&bytes)).await;
        let broken = |_| Problem::new(Kind::Internal, "The server's log says what.");
        sites.map_err(broken)?.map(Self)
    }
}

fn read(bytes: &[u8]) -> Result<Vec<SiteConfig>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = error.valid_up_to();
        Problem::field("body", format!("is not UTF-8 after {good} bytes"))
    })?;
    let file = SiteFile::parse(text).map_err(|problem| Problem::not_a_site_file(&problem))?;
    file.sites(hidden_values).map_err(Problem::invalid_sites)
}

impl OperationInput for SiteFileBody {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let kinds = MEDIA_TYPES.map(|media_type| {
            let media = content_of::<SiteFileDocument>(context);
            (media_type.to_owned(), media)
        });
        let body = RequestBody {
            description: Some("A site file.".to_owned()),
            content: kinds.into_iter().collect(),
            required: true,
            ..RequestBody::default()
        };
        set_body(context, operation, body);
    }
}
