//! From a site back to JSON: every field, defaults included, in the documented order.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{FIELDS, SiteConfig};

impl SiteConfig {
    /// The site as JSON, with every field. Reading it again gives an equal site.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        FIELDS
            .iter()
            .map(|field| ((*field).to_owned(), self.field(field)))
            .collect()
    }

    fn field(&self, name: &str) -> Value {
        match name {
            "name" => json!(self.name),
            "url" => json!(self.url.as_url().as_str()),
            "method" => json!(self.method.as_str()),
            "headers" => self.headers_json(),
            "body" => json!(self.body.as_ref().map(super::SecretText::expose)),
            "interval" => duration(self.interval),
            "timeout" => duration(self.timeout),
            "expect_status" => json!(self.expect_status.to_string()),
            "content_regex" => json!(self.content_regex.as_ref().map(super::Pattern::as_str)),
            "content_regex_absent" => {
                json!(
                    self.content_regex_absent
                        .as_ref()
                        .map(super::Pattern::as_str)
                )
            }
            "expect_headers" => self.header_rules_json(),
            "expect_json" => {
                json!(
                    self.expect_json
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                )
            }
            "max_response_time" => self.max_response_time.map_or(Value::Null, duration),
            "redirects" => json!(self.redirects),
            "ip_family" => json!(self.ip_family.to_string()),
            "http_version" => json!(self.http_version.to_string()),
            "tls_verify" => json!(self.tls_verify),
            "tls_ca" => json!(self.tls_ca),
            "tls_client_cert" => {
                json!(self.tls_client_cert.as_ref().map(super::SecretText::expose))
            }
            "cert_expiry_warning" => duration(self.cert_expiry_warning),
            "body_limit" => json!(self.body_limit),
            "retries" => json!(self.retries),
            "regions" => json!(self.regions),
            "enabled" => json!(self.enabled),
            "tags" => json!(self.tags),
            _ => Value::Null,
        }
    }

    fn headers_json(&self) -> Value {
        let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (
                name.to_string(),
                json!(String::from_utf8_lossy(value.as_bytes())),
            )
        };
        self.headers.iter().map(pair).collect::<Map<_, _>>().into()
    }

    fn header_rules_json(&self) -> Value {
        let pair = |rule: &super::HeaderRule| (rule.name.to_string(), json!(rule.pattern.as_str()));
        self.expect_headers
            .iter()
            .map(pair)
            .collect::<Map<_, _>>()
            .into()
    }
}

fn duration(duration: Duration) -> Value {
    json!(humantime::format_duration(duration).to_string())
}
