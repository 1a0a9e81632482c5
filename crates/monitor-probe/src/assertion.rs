//! Judging a response against the rules of its site. Pure.

use std::borrow::Cow;

use encoding_rs::Encoding;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use monitor_core::event::ContentMatch;
use monitor_core::{FailureKind, Phase, SiteConfig};

use crate::body::Body;
use crate::failure::Failed;

fn failed(kind: FailureKind, detail: String) -> Failed {
    Failed::new(kind, Phase::Assertion, detail)
}

/// Judges what is known before the body.
pub(crate) fn judge_head(
    site: &SiteConfig,
    status: u16,
    headers: &HeaderMap,
) -> Result<(), Failed> {
    if !site.expect_status.accepts(status) {
        let detail = format!("status {status}, expected {}", site.expect_status);
        return Err(failed(FailureKind::UnexpectedStatus, detail));
    }
    for rule in &site.expect_headers {
        let mut values = headers.get_all(&rule.name).iter().peekable();
        let absent = values.peek().is_none();
        if !values.any(|value| rule.pattern.is_match(value.as_bytes())) {
            let how = if absent {
                "is absent"
            } else {
                "does not match"
            };
            return Err(failed(
                FailureKind::HeaderUnmatched,
                format!("header {} {how}", rule.name),
            ));
        }
    }
    Ok(())
}

/// Whether any rule is about the body.
pub(crate) fn needs_body(site: &SiteConfig) -> bool {
    site.has_content_rule() || !site.expect_json.is_empty()
}

/// Judges the body; what became of the content rules comes back beside the verdict.
pub(crate) fn judge_body(
    site: &SiteConfig,
    headers: &HeaderMap,
    body: &Body,
) -> (ContentMatch, Result<(), Failed>) {
    let text = decode(headers, &body.bytes);
    let content = judge_content(site, &text, body.truncated);
    let matched = match &content {
        _ if !site.has_content_rule() => ContentMatch::NotChecked,
        Ok(()) => ContentMatch::Matched,
        Err(failed) if failed.kind == FailureKind::BodyOverLimit => ContentMatch::NotChecked,
        Err(_) => ContentMatch::Unmatched,
    };
    (
        matched,
        content.and_then(|()| judge_json(site, &text, body.truncated)),
    )
}

fn judge_content(site: &SiteConfig, text: &[u8], truncated: bool) -> Result<(), Failed> {
    if let Some(pattern) = &site.content_regex
        && !pattern.is_match(text)
    {
        // What would match may lie beyond the limit.
        if truncated {
            return Err(over_limit(site));
        }
        return Err(failed(
            FailureKind::ContentUnmatched,
            "content_regex does not match".to_owned(),
        ));
    }
    let Some(pattern) = &site.content_regex_absent else {
        return Ok(());
    };
    if pattern.is_match(text) {
        return Err(failed(
            FailureKind::ContentForbidden,
            "content_regex_absent matches".to_owned(),
        ));
    }
    if truncated {
        Err(over_limit(site))
    } else {
        Ok(())
    }
}

fn judge_json(site: &SiteConfig, text: &[u8], truncated: bool) -> Result<(), Failed> {
    if site.expect_json.is_empty() {
        return Ok(());
    }
    if truncated {
        return Err(over_limit(site));
    }
    let document = serde_json::from_slice(text).map_err(|error| {
        failed(
            FailureKind::JsonUnmatched,
            format!("the body is not JSON: {error}"),
        )
    })?;
    for query in &site.expect_json {
        if !query.selects(&document) {
            return Err(failed(
                FailureKind::JsonUnmatched,
                format!("{query} selects nothing"),
            ));
        }
    }
    Ok(())
}

fn over_limit(site: &SiteConfig) -> Failed {
    let limit = site.body_limit;
    let detail = format!("a rule needs more of the body than the limit of {limit} bytes");
    failed(FailureKind::BodyOverLimit, detail)
}

/// The text of a body as UTF-8: by its byte order mark, else by the charset of its type. Bytes that
/// are no text in that charset become U+FFFD; without any charset, bytes stay as they are.
fn decode<'a>(headers: &HeaderMap, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    let encoding = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    match encoding.or_else(|| charset(headers)) {
        Some(encoding) if encoding != encoding_rs::UTF_8 => match encoding.decode(bytes).0 {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        },
        _ => Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    }
}

fn charset(headers: &HeaderMap) -> Option<&'static Encoding> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let parameters = content_type.split(';').skip(1);
    let label = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find_map(|(name, value)| {
            name.trim()
                .eq_ignore_ascii_case("charset")
                .then(|| value.trim())
        })?;
    Encoding::for_label(label.trim_matches('"').as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn site(rules: &serde_json::Value) -> SiteConfig {
        let mut json = json!({"url": "http://h/"});
        for (field, value) in rules.as_object().unwrap() {
            json[field] = value.clone();
        }
        SiteConfig::from_json(json.as_object().unwrap()).unwrap()
    }

    fn verdict(
        rules: &serde_json::Value,
        text: &[u8],
        truncated: bool,
    ) -> (ContentMatch, Option<FailureKind>) {
        let body = Body {
            bytes: text.to_vec(),
            truncated,
        };
        let (content, verdict) = judge_body(&site(rules), &HeaderMap::new(), &body);
        (content, verdict.err().map(|failed| failed.kind))
    }

    #[test]
    fn content_rules_have_three_values() {
        use ContentMatch::{Matched, NotChecked, Unmatched};
        use FailureKind::{BodyOverLimit, ContentForbidden, ContentUnmatched};
        for (rules, text, truncated, expected) in [
            (json!({}), "x", false, (NotChecked, None)),
            (
                json!({"content_regex": "ok"}),
                "all ok",
                false,
                (Matched, None),
            ),
            (
                json!({"content_regex": "ok"}),
                "all ok",
                true,
                (Matched, None),
            ),
            (
                json!({"content_regex": "ok"}),
                "no",
                false,
                (Unmatched, Some(ContentUnmatched)),
            ),
            (
                json!({"content_regex": "ok"}),
                "no",
                true,
                (NotChecked, Some(BodyOverLimit)),
            ),
            (
                json!({"content_regex_absent": "no"}),
                "ok",
                false,
                (Matched, None),
            ),
            (
                json!({"content_regex_absent": "no"}),
                "no",
                true,
                (Unmatched, Some(ContentForbidden)),
            ),
            (
                json!({"content_regex_absent": "no"}),
                "ok",
                true,
                (NotChecked, Some(BodyOverLimit)),
            ),
        ] {
            assert_eq!(
                verdict(&rules, text.as_bytes(), truncated),
                expected,
                "{rules} {text}"
            );
        }
    }

    #[test]
    fn json_queries_must_each_select_something() {
        use FailureKind::{BodyOverLimit, JsonUnmatched};
        let rules = json!({"expect_json": ["$.status", "$.items[?@.id == 2]"]});
        let check = |text: &str, truncated| verdict(&rules, text.as_bytes(), truncated).1;
        assert_eq!(
            check(r#"{"status": null, "items": [{"id": 2}]}"#, false),
            None
        );
        assert_eq!(
            check(r#"{"status": 1, "items": []}"#, false),
            Some(JsonUnmatched)
        );
        assert_eq!(check("<html>", false), Some(JsonUnmatched));
        assert_eq!(check("{", true), Some(BodyOverLimit));
    }

    #[test]
    fn text_is_read_in_its_charset() {
        let rules = site(&json!({"content_regex": "^Grüße$"}));
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            "text/html; Charset=\"iso-8859-1\"".parse().unwrap(),
        );
        let latin = Body {
            bytes: b"Gr\xfc\xdfe".to_vec(),
            truncated: false,
        };
        assert_eq!(
            judge_body(&rules, &headers, &latin).0,
            ContentMatch::Matched
        );
        let utf16 = Body {
            bytes: b"\xff\xfeG\0r\0\xfc\0\xdf\0e\0".to_vec(),
            truncated: false,
        };
        assert_eq!(
            judge_body(&rules, &HeaderMap::new(), &utf16).0,
            ContentMatch::Matched
        );
        let marked = Body {
            bytes: "\u{feff}Grüße".as_bytes().to_vec(),
            truncated: false,
        };
        assert_eq!(
            judge_body(&rules, &HeaderMap::new(), &marked).0,
            ContentMatch::Matched
        );
    }

    #[test]
    fn any_value_of_an_expected_header_may_match() {
        let rules = site(&json!({"expect_headers": {"x-served-by": "^edge"}}));
        let mut headers = HeaderMap::new();
        assert!(
            judge_head(&rules, 200, &headers)
                .unwrap_err()
                .detail
                .contains("absent")
        );
        headers.append("x-served-by", "origin".parse().unwrap());
        assert!(
            judge_head(&rules, 200, &headers)
                .unwrap_err()
                .detail
                .contains("not match")
        );
        headers.append("x-served-by", "edge-7".parse().unwrap());
        assert!(judge_head(&rules, 200, &headers).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_a_body_and_its_type_are_there_is_a_verdict(
            content_type in r"[\x20-\x7e\x80-\xff]{0,10}(;? ?charset ?= ?[ -~]{0,20})?",
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            truncated: bool,
        ) {
            let rules = json!({
                "content_regex": ".", "content_regex_absent": "x", "expect_json": ["$..a"],
            });
            let mut headers = HeaderMap::new();
            let value = http::HeaderValue::from_bytes(content_type.as_bytes());
            headers.extend(value.ok().map(|value| (CONTENT_TYPE, value)));
            let (content, verdict) = judge_body(&site(&rules), &headers, &Body { bytes, truncated });
            prop_assert!(content == ContentMatch::Matched || verdict.is_err());
        }
    }
}
