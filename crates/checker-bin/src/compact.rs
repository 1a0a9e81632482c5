//! Sites in few bytes: a checker may hold a hundred thousand of them, and nearly all follow the same
//! few sets of rules.

use std::collections::HashMap;
use std::sync::Arc;

use monitor_core::site::SiteUrl;
use monitor_core::{Site, SiteConfig, SiteId};

/// A site that shares its rules with all sites that have the same.
#[derive(Clone, Debug)]
pub(crate) struct CompactSite {
    /// Its id.
    pub(crate) id: SiteId,
    /// Where its requests go.
    pub(crate) target: Target,
}

/// What to check: a URL, and rules that are in force for other URLs, too.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    url: Arc<SiteUrl>,
    /// Everything but URL and name.
    pub(crate) rules: Arc<SiteConfig>,
}

/// Makes sites compact, and finds out which of them share their rules.
#[derive(Debug, Default)]
pub(crate) struct Compactor {
    rules: HashMap<String, Arc<SiteConfig>>,
}

impl Compactor {
    /// The site in few bytes. It loses its name.
    pub(crate) fn compact(&mut self, Site { id, config }: Site) -> CompactSite {
        let mut json = config.to_json();
        json.remove("name");
        json.remove("url");
        let key = serde_json::Value::Object(json).to_string();
        let url = Arc::new(config.url.clone());
        let rules = self.rules.entry(key).or_insert_with(|| Arc::new(config));
        let rules = Arc::clone(rules);
        CompactSite {
            id,
            target: Target { url, rules },
        }
    }
}

impl Target {
    /// Where the request goes.
    pub(crate) fn url(&self) -> &SiteUrl {
        &self.url
    }

    /// The host of the URL.
    pub(crate) fn host(&self) -> &str {
        self.url.host()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn site(id: i64, json: &Value) -> Site {
        let config = SiteConfig::from_json(json.as_object().unwrap()).unwrap();
        Site {
            id: SiteId(id),
            config,
        }
    }

    #[test]
    fn a_compact_site_is_checked_as_the_whole_one_would_be() {
        let whole = site(
            7,
            &json!({
                "url": "https://shop.example:8443/a?b=c", "interval": "30s", "retries": 2,
                "content_regex": "ok", "headers": {"X-Key": "1"}, "expect_status": "200,204",
            }),
        );
        let compact = Compactor::default().compact(whole.clone());
        assert_eq!(compact.id, whole.id);
        assert_eq!(*compact.target.url(), whole.config.url);
        assert_eq!(*compact.target.rules, whole.config);
    }

    #[test]
    fn sites_share_the_rules_that_they_have_in_common_and_no_others() {
        let mut compactor = Compactor::default();
        let mut compact = |id, json: Value| compactor.compact(site(id, &json)).target;
        let one = compact(1, json!({"name": "a", "url": "http://a/"}));
        let two = compact(2, json!({"name": "b", "url": "http://b/"}));
        let other = compact(3, json!({"url": "http://b/", "redirects": 0}));
        assert!(Arc::ptr_eq(&one.rules, &two.rules));
        assert!(!Arc::ptr_eq(&two.rules, &other.rules));
        assert_eq!(two.url().to_string(), "http://b/");
        assert_eq!(other.rules.redirects, 0);
    }
}
