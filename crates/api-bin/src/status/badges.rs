//! Badges of a site, and what to copy so that another page shows them.

use maud::{Markup, html};
use url::Url;

use super::report::{DAYS, SiteReport};

/// Where badges are, as others write it.
#[derive(Debug)]
pub(super) struct Badges {
    /// Scheme and host; empty when they are not known.
    origin: String,
}

impl Badges {
    pub(super) fn at(public: Option<&Url>) -> Self {
        let origin = public.map(|url| url.origin().ascii_serialization());
        Self {
            origin: origin.unwrap_or_default(),
        }
    }

    /// What is offered of a site.
    pub(super) fn of(&self, site: &SiteReport) -> Markup {
        let id = site.id;
        let uptime = format!("/badge/{id}/uptime.svg?window={DAYS}d");
        html! {
            details {
                summary { "Badges" span.hidden { " of " (site.name) } }
                div.badges {
                    @if self.origin.is_empty() { p { "The address of this host goes before each path." } }
                    (self.one(&format!("Status of {}", site.name), &format!("/badge/{id}/status.svg")))
                    (self.one(&format!("Uptime of {}", site.name), &uptime))
                }
            }
        }
    }

    /// The picture, and how Markdown and HTML have it. It is not fetched before it is looked at.
    fn one(&self, name: &str, path: &str) -> Markup {
        let url = format!("{}{path}", self.origin);
        let tag = html! { img src=(url) alt=(name); }.into_string();
        html! {
            img src=(path) alt=(name) loading="lazy";
            code { "![" (in_markdown(name)) "](" (url) ")" }
            code { (tag) }
        }
    }
}

/// As text of Markdown, which ends nothing that it stands in.
fn in_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\[]<>&`*_".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
