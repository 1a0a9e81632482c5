//! URLs that may be checked.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// Longest URL, in bytes.
const MAX_LEN: usize = 2048;

/// An `http` or `https` URL with a host and without credentials.
///
/// `Debug` and `Display` leave out query and fragment, which may hold tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct SiteUrl(Url);

impl SiteUrl {
    /// The whole URL, query included: for requests and storage, not for logs.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The host as written in the URL.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl FromStr for SiteUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_LEN {
            return Err(format!(
                "the URL has {} bytes, more than {MAX_LEN}",
                text.len()
            ));
        }
        let mut url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("scheme {:?} is not http or https", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "the URL holds credentials: put them into headers, as Authorization".to_owned(),
            );
        }
        if url.port() == Some(0) {
            return Err("port 0 cannot be connected to".to_owned());
        }
        url.set_fragment(None);
        Ok(Self(url))
    }
}

impl fmt::Display for SiteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        url.set_query(None);
        url.fmt(f)
    }
}

impl fmt::Debug for SiteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_holds_no_query() {
        let url: SiteUrl = "https://example.com/a?token=s3cret#x".parse().unwrap();
        assert_eq!(url.to_string(), "https://example.com/a");
        assert!(!format!("{url:?}").contains("s3cret"));
        assert_eq!(url.as_url().as_str(), "https://example.com/a?token=s3cret");
    }

    #[test]
    fn what_cannot_or_must_not_be_checked_is_refused() {
        for (text, reason) in [
            ("example.com", "not a URL"),
            ("http://", "not a URL"),
            ("ftp://example.com", "not http or https"),
            ("http://example.com:0/", "port 0"),
            ("http://example.com:99999/", "not a URL"),
            ("https://user:pw@example.com/", "Authorization"),
            (&format!("http://h/{}", "x".repeat(3000)), "more than"),
        ] {
            let error = text.parse::<SiteUrl>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(!error.contains("pw"), "{error}");
        }
    }
}
