//! Sites as tests write them, and the checks of them.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use monitor_core::{CheckEvent, FailureKind, SiteConfig, SiteId, Slot};
use monitor_probe::{Prober, ProberSettings, Report};
use serde_json::{Value, json};
use test_servers::DnsServer;

/// A deadline that falls within a test's patience.
pub(crate) const SOON: &str = "1500ms";
/// A deadline for whatever ends by itself.
pub(crate) const LATE: &str = "10s";

/// Setting one up reads all of the system's authorities.
static PROBER: LazyLock<Prober> = LazyLock::new(|| Prober::new(&settings()).unwrap());

/// A site with these fields. Unless it says otherwise, its deadline is late.
pub(crate) fn site(mut fields: Value) -> SiteConfig {
    let fields = fields.as_object_mut().unwrap();
    fields.entry("timeout").or_insert(json!(LATE));
    SiteConfig::from_json(fields).unwrap()
}

/// Whoever may look into the network that it stands in.
pub(crate) fn settings() -> ProberSettings {
    ProberSettings {
        allow_private_targets: true,
        ..ProberSettings::default()
    }
}

/// Checks a site that is named by its address.
pub(crate) async fn check(fields: Value) -> Report {
    PROBER.check(&site(fields), Utc::now()).await
}

/// Checks a site whose name this server knows.
pub(crate) async fn check_by_name(dns: &DnsServer, fields: Value) -> Report {
    let name_servers = vec![dns.address()];
    let settings = ProberSettings {
        name_servers,
        ..settings()
    };
    check_with(&settings, fields).await
}

/// Checks a site once.
pub(crate) async fn check_with(settings: &ProberSettings, fields: Value) -> Report {
    let prober = Prober::new(settings).unwrap();
    prober.check(&site(fields), Utc::now()).await
}

/// What kind of failure it came to.
pub(crate) fn kind(report: &Report) -> Option<FailureKind> {
    report.failure.as_ref().map(|failure| failure.kind)
}

/// Whether a reader takes the event that tells it; it would put another one aside.
pub(crate) fn assert_has_an_event(report: Report) {
    let now = DateTime::UNIX_EPOCH;
    let slot = Slot {
        site_id: SiteId(1),
        region: "local".parse().unwrap(),
        scheduled_at: now,
    };
    let event = report.into_event(&slot, "test", now);
    let read = CheckEvent::decode(&event.encode().unwrap());
    assert_eq!(read.unwrap(), event);
}
