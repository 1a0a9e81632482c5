//! A check as a picture of text: its hops, its phases in time, its certificate, and the verdict.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use monitor_core::event::{HttpFacts, Timings, TlsFacts};
use monitor_core::{CheckEvent, Outcome, Phase, SiteConfig};

/// Width of the bars, in characters.
const WIDTH: u32 = 40;
/// Eighths of a character, from empty to nearly full.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BLUE: &str = "34";

/// Draws a check; with `colours`, for a terminal that knows them.
pub(super) fn draw(site: &SiteConfig, event: &CheckEvent, colours: bool) -> String {
    let mut picture = Picture {
        text: String::new(),
        colours,
    };
    picture.request(site, event.http.as_ref());
    picture.phases(event);
    if let Some(tls) = &event.tls {
        picture.certificate(tls, event.scheduled_at);
    }
    picture.verdict(site, event);
    picture.text.trim_end().to_owned()
}

struct Picture {
    text: String,
    colours: bool,
}

impl Picture {
    fn painted(&self, colour: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn request(&mut self, site: &SiteConfig, http: Option<&HttpFacts>) {
        let title = format!("{} {}", site.method, site.url);
        let title = self.painted(BOLD, &title);
        self.line(&title);
        let Some(http) = http else { return };
        for hop in &http.hops {
            let took = sum(&hop.timings_us);
            let line = format!("  {}  {}  {}", hop.status_code, hop.url, millis(took));
            let line = self.painted(DIM, &line);
            self.line(&line);
        }
        let version = http
            .version
            .as_deref()
            .map(|version| format!("HTTP/{version}"));
        let last = http.final_url.as_deref().filter(|_| http.redirects > 0);
        let facts = [last, http.remote_addr.as_deref(), version.as_deref()];
        let facts: Vec<_> = facts.into_iter().flatten().collect();
        let line = self.painted(DIM, &format!("  {}", facts.join("  ")));
        self.line(&line);
    }

    fn phases(&mut self, event: &CheckEvent) {
        let t = &event.timings_us;
        let phases = [
            ("dns", Phase::Dns, t.dns),
            ("connect", Phase::Connect, t.connect),
            ("tls", Phase::Tls, t.tls),
            ("first byte", Phase::FirstByte, t.first_byte),
            ("transfer", Phase::Body, t.transfer),
        ];
        let hops = event.http.iter().flat_map(|http| &http.hops);
        let before: u32 = hops.map(|hop| sum(&hop.timings_us)).sum();
        let total = t.total.unwrap_or_default().max(before + sum(t)).max(1);
        let failed = event.failure.as_ref().and_then(|failure| failure.phase);
        let mut start = before;
        self.line("");
        for (name, phase, took) in phases {
            let dies = failed == Some(phase) && took.is_none();
            if took.is_none() && !dies {
                continue;
            }
            // A phase that did not end took what is left.
            let took = took.unwrap_or_else(|| total.saturating_sub(start));
            let bar = bar(start, took, total);
            let (bar, mark) = if dies {
                (self.painted(RED, &bar), "  ✘")
            } else {
                (self.painted(BLUE, &bar), "")
            };
            self.line(&format!("  {name:<10} {:>10}  {bar}{mark}", millis(took)));
            start += took;
        }
        self.line(&format!("  {:<10} {:>10}", "total", millis(total)));
    }

    fn certificate(&mut self, tls: &TlsFacts, now: DateTime<Utc>) {
        let session = [tls.version.as_ref(), tls.cipher.as_ref()];
        let session: Vec<_> = session.into_iter().flatten().map(String::as_str).collect();
        self.line("");
        if !session.is_empty() {
            self.line(&format!("  TLS         {}", session.join("  ")));
        }
        for (name, value) in [
            ("subject", &tls.subject),
            ("issuer", &tls.issuer),
            ("sha256", &tls.sha256),
        ] {
            if let Some(value) = value {
                self.line(&format!("  {name:<10}  {value}"));
            }
        }
        for certificate in &tls.chain {
            let subject = certificate.subject.as_deref().unwrap_or("?");
            self.line(&format!("  chain       {subject}"));
        }
        if let Some(end) = tls.not_after {
            let days = (end - now).num_days();
            let when = match days {
                0.. => format!("in {days} days"),
                _ => format!("{} days ago", -days),
            };
            let colour = if days < 0 {
                RED
            } else if days < 14 {
                YELLOW
            } else {
                GREEN
            };
            let when = self.painted(colour, &when);
            self.line(&format!(
                "  ends        {}, {when}",
                end.format("%Y-%m-%d %H:%M UTC")
            ));
        }
        if let Some(error) = &tls.verify_error {
            let not_verified = format!("not verified: {} ({})", error.detail, error.kind);
            let not_verified = self.painted(YELLOW, &not_verified);
            self.line(&format!("  {not_verified}"));
        }
    }

    fn verdict(&mut self, site: &SiteConfig, event: &CheckEvent) {
        let colour = match event.outcome {
            Outcome::Up => GREEN,
            Outcome::Degraded | Outcome::Missed => YELLOW,
            Outcome::Down | Outcome::Error => RED,
        };
        let outcome = self.painted(colour, &event.outcome.to_string().to_uppercase());
        let mut line = outcome;
        if let Some(failure) = &event.failure {
            let phase = failure.phase.map(|phase| format!(" in {phase}"));
            let phase = phase.unwrap_or_default();
            // Writing to a String cannot fail.
            write!(line, "  {}{phase}: {}", failure.kind, failure.detail).ok();
        }
        for warning in &event.warnings {
            write!(line, "  {warning}").ok();
        }
        self.line("");
        self.line(&line);
        let mut facts = Vec::new();
        facts.extend(event.status_code.map(|code| format!("status {code}")));
        facts.extend(
            event
                .http
                .as_ref()
                .map(|http| format!("{} bytes", http.body_bytes)),
        );
        if site.has_content_rule() {
            facts.push(format!("content {}", event.content));
        }
        if event.attempts > 1 {
            facts.push(format!("{} attempts", event.attempts));
        }
        let facts = self.painted(DIM, &format!("  {}", facts.join(" · ")));
        self.line(&facts);
    }
}

fn sum(t: &Timings) -> u32 {
    let phases = [t.dns, t.connect, t.tls, t.first_byte, t.transfer];
    phases.into_iter().flatten().sum()
}

fn millis(micros: u32) -> String {
    format!("{:.1} ms", f64::from(micros) / 1e3)
}

/// A bar from `start`, `took` long, on a scale of `total`; never so short that it is not seen.
fn bar(start: u32, took: u32, total: u32) -> String {
    let eighths = |micros: u32| {
        let scaled = u64::from(micros) * u64::from(WIDTH) * 8 / u64::from(total);
        usize::try_from(scaled).unwrap_or(usize::MAX)
    };
    let indent = eighths(start) / 8;
    let length = (eighths(start + took) - indent * 8).max(1);
    let (full, part) = (length / 8, EIGHTHS[length % 8]);
    format!("{}{}{part}", " ".repeat(indent), "█".repeat(full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_lie_where_their_time_is_and_are_never_invisible() {
        assert_eq!(bar(0, 40, 40), "█".repeat(40));
        assert_eq!(
            bar(20, 10, 40),
            format!("{}{}", " ".repeat(20), "█".repeat(10))
        );
        assert_eq!(bar(0, 0, 1000), "▏");
        assert_eq!(bar(999, 1, 1000).trim_start(), "█");
        assert_eq!(bar(0, 1, 80), "▌");
    }
}
