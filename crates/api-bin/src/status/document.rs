//! What every page is in: HTML that works without scripts, and brings its style along.

use std::sync::LazyLock;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::badges::Badges;

const STYLE: &str = include_str!("style.css");
/// The pictures of states, each used by its name.
const ICONS: &str = include_str!("icons.svg");

/// Nothing is run, and nothing is fetched but badges, from here.
pub(crate) static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src 'self' data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// What is around a report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) title: &'a str,
    /// Told where there are several pages.
    pub(super) tag: Option<&'a str>,
    /// What is offered of each site, where everybody may read it.
    pub(super) badges: Option<&'a Badges>,
}

/// The whole document.
pub(super) fn document(frame: &Frame<'_>, body: &Markup) -> String {
    let Frame { title, tag, .. } = frame;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { @if let Some(tag) = tag { (tag) " – " } (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                (PreEscaped(ICONS))
                header {
                    h1 { (title) @if let Some(tag) = tag { span.tag { (tag) } } }
                    @if tag.is_some() { nav aria-label="Pages" { a href="/status" { "All pages" } } }
                }
                main { (body) }
                footer { p { "All times are in UTC." } }
            }
        }
    };
    page.into_string()
}
