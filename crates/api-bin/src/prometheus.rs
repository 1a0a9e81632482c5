//! The fleet for Prometheus: the latest check of every site, under the names that `blackbox_exporter` has,
//! so that dashboards and alerts made for it work.

mod text;

use monitor_core::Outcome;
use monitor_core::event::ContentMatch;
use monitor_core::metric::LatestCheck;

use self::text::Text;

/// A metric that a check has at most one value of: name, help, value.
type Gauge = (&'static str, &'static str, fn(&LatestCheck) -> Option<f64>);

const GAUGES: [Gauge; 8] = [
    (
        "probe_success",
        "Whether the site was available, up or degraded; absent when that could not be told",
        |check| verdict(check).map(|verdict| flag(verdict.is_success())),
    ),
    (
        "probe_duration_seconds",
        "How long the check took, redirects included",
        |check| check.timings_us.total.map(seconds),
    ),
    (
        "probe_dns_lookup_time_seconds",
        "How long resolving the name took",
        |check| check.timings_us.dns.map(seconds),
    ),
    (
        "probe_http_status_code",
        "Status code of the last response, 0 when there was none",
        |check| verdict(check).map(|_| check.status_code.unwrap_or(0).into()),
    ),
    (
        "probe_http_ssl",
        "Whether the last hop was over TLS",
        |check| verdict(check).map(|_| flag(check.timings_us.tls.is_some())),
    ),
    (
        "probe_failed_due_to_regex",
        "Whether a content rule did not hold",
        |check| {
            let content = check.content.filter(|_| verdict(check).is_some());
            content.map(|content| flag(content == ContentMatch::Unmatched))
        },
    ),
    (
        "probe_ssl_earliest_cert_expiry",
        "When the certificate ends that was seen last, in seconds since 1970",
        |check| {
            check
                .cert_not_after
                .map(|end| instant(end.timestamp_millis()))
        },
    ),
    (
        "monitor_check_timestamp_seconds",
        "The slot of the latest check, in seconds since 1970",
        |check| Some(instant(check.scheduled_at.timestamp_millis())),
    ),
];

/// What a site can be, in each region.
const CONDITIONS: [(&str, Option<Outcome>); 4] = [
    ("up", Some(Outcome::Up)),
    ("degraded", Some(Outcome::Degraded)),
    ("down", Some(Outcome::Down)),
    ("pending", None),
];

/// The checks in the text format, with how many sites there are and of how many nothing is told.
///
/// Series have the labels `instance` (the URL without query, as dashboards for `blackbox_exporter` expect
/// it), `site` and `region`; the last two make them unique.
pub(crate) fn render(checks: &[LatestCheck], sites: u64, left_out: u64) -> String {
    let mut text = Text::default();
    for (name, help, value) in GAUGES {
        text.begin(name, help);
        let values = checks
            .iter()
            .filter_map(|check| Some((check, value(check)?)));
        values.for_each(|(check, value)| text.sample(&labels(check), value));
    }
    text.begin(
        "probe_http_duration_seconds",
        "How long each phase of the last hop took",
    );
    for check in checks {
        for (phase, micros) in phases(check) {
            text.sample(&with(labels(check), "phase", phase), seconds(micros));
        }
    }
    text.begin(
        "monitor_site_condition",
        "1 for what the site is, by the latest check that told",
    );
    for check in checks {
        for (condition, verdict) in CONDITIONS {
            let is_so = flag(check.last_verdict == verdict);
            text.sample(&with(labels(check), "condition", condition), is_so);
        }
    }
    text.begin("monitor_sites", "Sites that are being checked");
    text.sample(&[], count(sites));
    text.begin(
        "monitor_sites_left_out",
        "Sites of which nothing is told here, because there are more than API_METRICS_MAX_SITES",
    );
    text.sample(&[], count(left_out));
    text.finish()
}

/// The verdict of the check itself; `None` when it tells nothing about the site.
fn verdict(check: &LatestCheck) -> Option<Outcome> {
    Some(check.outcome).filter(|outcome| outcome.is_verdict())
}

/// The phases that were reached, as `blackbox_exporter` calls them.
fn phases(check: &LatestCheck) -> impl Iterator<Item = (&'static str, u32)> {
    let timings = &check.timings_us;
    let phases = [
        ("resolve", timings.dns),
        ("connect", timings.connect),
        ("tls", timings.tls),
        ("processing", timings.first_byte),
        ("transfer", timings.transfer),
    ];
    phases
        .into_iter()
        .filter_map(|(phase, micros)| Some((phase, micros?)))
}

type Labels<'a> = Vec<(&'static str, &'a str)>;

fn labels(check: &LatestCheck) -> Labels<'_> {
    vec![
        ("instance", &check.url),
        ("site", &check.name),
        ("region", check.region.as_str()),
    ]
}

fn with<'a>(mut labels: Labels<'a>, name: &'static str, value: &'a str) -> Labels<'a> {
    labels.push((name, value));
    labels
}

fn flag(flag: bool) -> f64 {
    f64::from(u8::from(flag))
}

fn seconds(micros: u32) -> f64 {
    f64::from(micros) / 1e6
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 are far below 2^53"
)]
fn instant(millis: i64) -> f64 {
    millis as f64 / 1e3
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are fewer than 2^53 sites"
)]
fn count(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use monitor_core::SiteId;
    use monitor_core::event::Timings;

    use super::*;

    fn check(outcome: Outcome) -> LatestCheck {
        LatestCheck {
            site: SiteId(1),
            name: "a \"b\"\\\n".to_owned(),
            url: "https://x/".to_owned(),
            region: "eu".parse().unwrap(),
            scheduled_at: DateTime::from_timestamp_millis(1_767_607_200_500).unwrap(),
            outcome,
            last_verdict: Some(Outcome::Down),
            failure_kind: None,
            status_code: None,
            content: Some(ContentMatch::Unmatched),
            timings_us: Timings {
                dns: Some(1_500),
                ..Timings::default()
            },
            cert_not_after: None,
        }
    }

    fn lines(check: LatestCheck) -> Vec<String> {
        let text = render(&[check], 7, 6);
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(ToOwned::to_owned)
            .collect()
    }

    #[test]
    fn what_a_check_saw_is_told_and_nothing_else() {
        let labels = r#"instance="https://x/",site="a \"b\"\\\n",region="eu""#;
        let lines = lines(check(Outcome::Down));
        let expected = [
            format!("probe_success{{{labels}}} 0"),
            format!("probe_dns_lookup_time_seconds{{{labels}}} 0.0015"),
            format!("probe_http_status_code{{{labels}}} 0"),
            format!("probe_http_ssl{{{labels}}} 0"),
            format!("probe_failed_due_to_regex{{{labels}}} 1"),
            format!("monitor_check_timestamp_seconds{{{labels}}} 1767607200.5"),
            format!("probe_http_duration_seconds{{{labels},phase=\"resolve\"}} 0.0015"),
            format!("monitor_site_condition{{{labels},condition=\"up\"}} 0"),
            format!("monitor_site_condition{{{labels},condition=\"degraded\"}} 0"),
            format!("monitor_site_condition{{{labels},condition=\"down\"}} 1"),
            format!("monitor_site_condition{{{labels},condition=\"pending\"}} 0"),
            "monitor_sites 7".to_owned(),
            "monitor_sites_left_out 6".to_owned(),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_check_that_was_missed_says_nothing_of_the_site() {
        let lines = lines(check(Outcome::Missed)).join("\n");
        assert!(!lines.contains("probe_success") && !lines.contains("probe_http_status_code"));
        assert!(lines.contains("condition=\"down\"} 1"));
    }
}
