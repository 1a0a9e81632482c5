//! Requests, and where a redirect leads (Fetch standard, section 4.4, HTTP-redirect fetch).

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE,
    COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use monitor_core::{FailureKind, Phase, SiteConfig};
use url::Url;

use crate::failure::Failed;

/// One request on the way of a check, and what redirects have taken away from it.
#[derive(Clone, Debug)]
pub(crate) struct Hop<'a> {
    site: &'a SiteConfig,
    pub(crate) url: Url,
    method: Method,
    /// Whether the site's body goes along.
    has_body: bool,
    /// Whether this is still the origin that the site's credentials are meant for.
    is_at_origin: bool,
}

/// The default identity of a checker.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("aiven-monitor/", env!("CARGO_PKG_VERSION")));

/// Room for as many headers as a site usually sends.
const USUAL_HEADERS: usize = 8;

/// Headers that go where the body goes.
const OF_A_BODY: [HeaderName; 4] = [
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LOCATION,
    CONTENT_TYPE,
];

/// Headers that no other origin gets to see.
const OF_AN_ORIGIN: [HeaderName; 4] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HOST];

impl<'a> Hop<'a> {
    /// The first request of a site's check.
    pub(crate) fn first(url: Url, site: &'a SiteConfig) -> Self {
        Self {
            site,
            url,
            method: site.method.clone(),
            has_body: true,
            is_at_origin: true,
        }
    }

    /// The request as hyper sends it: HTTP/1 has the path in its first line and the host in a
    /// header, HTTP/2 has both in its pseudo-headers.
    pub(crate) fn request(&self, http2: bool) -> Result<Request<Full<Bytes>>, Failed> {
        let mut headers = self.headers();
        let target = if http2 {
            self.absolute_target(headers.remove(HOST).as_ref())?
        } else {
            if !headers.contains_key(HOST) {
                let host = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
                headers.insert(HOST, host.parse().map_err(unusable)?);
            }
            // Every check has a connection of its own. Whoever closes first is left with a port that
            // nobody can use for a while: better the server, which has more of them.
            headers
                .entry(CONNECTION)
                .or_insert(HeaderValue::from_static("close"));
            let path = &self.url[url::Position::BeforePath..url::Position::AfterQuery];
            path.parse().map_err(unusable)?
        };
        let mut request = Request::new(Full::new(self.body()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = target;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(USUAL_HEADERS);
        headers.insert(http::header::USER_AGENT, USER_AGENT);
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("*/*"));
        let encodings = HeaderValue::from_static("gzip, br, deflate");
        headers.insert(http::header::ACCEPT_ENCODING, encodings);
        // A site's own headers win.
        headers.extend(self.site.headers.clone());
        let of_a_body = OF_A_BODY.iter().filter(|_| !self.has_body);
        let of_an_origin = OF_AN_ORIGIN.iter().filter(|_| !self.is_at_origin);
        for name in of_a_body.chain(of_an_origin) {
            headers.remove(name);
        }
        headers
    }

    fn body(&self) -> Bytes {
        let body = self.site.body.as_ref().filter(|_| self.has_body);
        body.map(|body| Bytes::from(body.expose().to_owned()))
            .unwrap_or_default()
    }

    /// With the site's own host in place of the URL's, if it has one: HTTP/2 knows only one.
    fn absolute_target(&self, host: Option<&HeaderValue>) -> Result<Uri, Failed> {
        let target: Uri = self.url.as_str().parse().map_err(unusable)?;
        let Some(host) = host else {
            return Ok(target);
        };
        let mut parts = target.into_parts();
        parts.authority = Some(host.as_bytes().try_into().map_err(unusable)?);
        Uri::from_parts(parts).map_err(unusable)
    }

    /// Where a response leads; `None` when it is the last one.
    pub(crate) fn next(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, Failed> {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let url = self.location(status, headers)?;
        let becomes_get = match status.as_u16() {
            303 => !matches!(self.method, Method::GET | Method::HEAD),
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        let method = if becomes_get {
            Method::GET
        } else {
            self.method.clone()
        };
        let next = Self {
            site: self.site,
            method,
            has_body: self.has_body && !becomes_get,
            is_at_origin: self.is_at_origin && url.origin() == self.url.origin(),
            url,
        };
        Ok(Some(next))
    }

    fn location(&self, status: StatusCode, headers: &HeaderMap) -> Result<Url, Failed> {
        let invalid = |detail| Failed::new(FailureKind::RedirectInvalid, Phase::FirstByte, detail);
        let location = headers
            .get(LOCATION)
            .ok_or_else(|| invalid(format!("status {status} without a Location")))?;
        // Many a server leaves it to the client to encode what is not ASCII.
        let location = std::str::from_utf8(location.as_bytes())
            .map_err(|_| invalid(format!("status {status} with an unreadable Location")))?;
        let mut url = self.url.join(location).map_err(|error| {
            invalid(format!(
                "status {status} with a Location that is no URL: {error}"
            ))
        })?;
        url.set_fragment(None);
        let forbidden = match (self.url.scheme(), url.scheme()) {
            ("https", "http") => Some("from https to http"),
            (_, "http" | "https") if url.has_host() => None,
            _ => Some("to a scheme that is not http or https"),
        };
        if let Some(what) = forbidden {
            let detail = format!("redirect {what}");
            return Err(Failed::new(
                FailureKind::RedirectNotAllowed,
                Phase::FirstByte,
                detail,
            ));
        }
        // Credentials in a Location were never given to us by the site's owner.
        url.set_username("")
            .and_then(|()| url.set_password(None))
            .ok();
        Ok(url)
    }
}

fn unusable(error: impl Into<http::Error>) -> Failed {
    let detail = format!("the request cannot be written: {}", error.into());
    Failed::new(FailureKind::Configuration, Phase::Send, detail)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    static SITE: LazyLock<SiteConfig> = LazyLock::new(|| {
        site(json!({
            "url": "https://a.example/x?q=1", "method": "POST", "body": "b",
            "headers": {"Authorization": "s", "Content-Type": "text/plain", "X-Own": "1"},
        }))
    });

    #[expect(clippy::needless_pass_by_value, reason = "a literal at every call")]
    fn site(json: serde_json::Value) -> SiteConfig {
        SiteConfig::from_json(json.as_object().unwrap()).unwrap()
    }

    fn first(site: &SiteConfig) -> Hop<'_> {
        Hop::first(site.url.as_url().clone(), site)
    }

    fn hop() -> Hop<'static> {
        first(&SITE)
    }

    fn follow(status: u16, location: &str) -> Result<Option<Hop<'static>>, FailureKind> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, location.parse().unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        hop().next(status, &headers).map_err(|failed| failed.kind)
    }

    #[test]
    fn the_method_survives_307_and_308_and_becomes_get_otherwise() {
        for (status, method, body) in [(301, "GET", ""), (303, "GET", ""), (307, "POST", "b")] {
            let next = follow(status, "/y").unwrap().unwrap();
            assert_eq!(
                (next.method.as_str(), &next.body()[..]),
                (method, body.as_bytes())
            );
            assert_eq!(next.headers().contains_key(CONTENT_TYPE), method == "POST");
            assert_eq!(next.url.as_str(), "https://a.example/y");
        }
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let same = follow(307, "https://a.example/y").unwrap().unwrap();
        assert!(same.headers().contains_key(AUTHORIZATION));
        let other = follow(307, "https://u:p@b.example/y").unwrap().unwrap();
        assert!(!other.headers().contains_key(AUTHORIZATION));
        assert!(other.headers().contains_key("x-own"));
        assert_eq!(other.url.as_str(), "https://b.example/y");
    }

    #[test]
    fn a_redirect_leads_nowhere_that_a_site_may_not_be() {
        assert_eq!(
            follow(301, "http://a.example/").unwrap_err(),
            FailureKind::RedirectNotAllowed
        );
        assert_eq!(
            follow(301, "file:///etc/passwd").unwrap_err(),
            FailureKind::RedirectNotAllowed
        );
        assert_eq!(
            follow(301, "https://[").unwrap_err(),
            FailureKind::RedirectInvalid
        );
        assert!(follow(304, "/y").unwrap().is_none());
    }

    #[test]
    fn http1_has_a_path_and_a_host_and_http2_has_a_url() {
        let http1 = hop().request(false).unwrap();
        assert_eq!(
            (http1.uri().to_string().as_str(), &http1.headers()["host"]),
            ("/x?q=1", &"a.example".parse::<http::HeaderValue>().unwrap())
        );
        let http2 = hop().request(true).unwrap();
        assert_eq!(http2.uri().to_string(), "https://a.example/x?q=1");
        assert!(!http2.headers().contains_key("host"));
    }

    #[test]
    fn a_sites_own_host_takes_the_place_of_the_urls() {
        let json = json!({"url": "https://10.1.2.3:8443/x", "headers": {"Host": "a.example"}});
        let site = site(json);
        let hop = first(&site);
        assert_eq!(hop.request(false).unwrap().headers()["host"], "a.example");
        let http2 = hop.request(true).unwrap();
        assert_eq!(http2.uri().to_string(), "https://a.example/x");
        assert!(!http2.headers().contains_key("host"));
    }

    /// Bytes that a server may well send, and others.
    fn locations() -> impl Strategy<Value = Vec<u8>> {
        let anything = proptest::collection::vec(any::<u8>(), 0..64);
        let likely = r"(https?:|ftp:|javascript:|//|/|\\)?/{0,3}([a-z]{0,3}:.?@)?\[?[\PC]{0,20}\]?(:[0-9]{0,6})?";
        prop_oneof![anything, likely.prop_map(String::into_bytes)]
    }

    proptest! {
        #[test]
        fn whatever_a_location_says_it_leads_to_a_site_or_nowhere(location in locations(), status in 300u16..310) {
            let mut headers = HeaderMap::new();
            headers.extend(HeaderValue::from_bytes(&location).ok().map(|value| (LOCATION, value)));
            let status = StatusCode::from_u16(status).unwrap();
            if let Ok(Some(next)) = hop().next(status, &headers) {
                prop_assert_eq!(next.url.scheme(), "https");
                prop_assert!(next.url.has_host());
                prop_assert_eq!((next.url.username(), next.url.password()), ("", None));
                for http2 in [false, true] {
                    let _either = next.request(http2);
                }
            }
        }
    }
}
