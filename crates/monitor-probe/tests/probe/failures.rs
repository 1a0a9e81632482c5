//! Every kind of failure, from a situation that really comes to it.

mod assertion;
mod body;
mod connect;
mod dns;
mod ours;
mod redirect;
mod response;
mod tls;

use futures_util::future::join_all;
use monitor_core::{FailureKind, Phase};
use monitor_probe::Report;
use strum::VariantArray as _;
use test_servers::network;

/// What a situation came to, and how far it should have come.
pub(crate) struct Scenario {
    report: Report,
    phase: Phase,
    named: bool,
    https: bool,
    status: Option<u16>,
}

impl Scenario {
    /// A check that ends in `phase`, of a site in plain text that is named by its address.
    fn ends(phase: Phase, report: Report) -> Self {
        Self {
            report,
            phase,
            named: false,
            https: false,
            status: None,
        }
    }

    fn named(self) -> Self {
        Self {
            named: true,
            ..self
        }
    }

    fn https(self) -> Self {
        Self {
            https: true,
            ..self
        }
    }

    fn status(self, status: u16) -> Self {
        Self {
            status: Some(status),
            ..self
        }
    }

    /// What is not as it should be.
    fn problems(&self, kind: FailureKind) -> Vec<String> {
        let report = &self.report;
        let timings = report.timings_us;
        let failure = report.failure.as_ref();
        let found = failure.map(|failure| (failure.kind, failure.phase));
        let after = |phase| self.phase > phase;
        let head = after(Phase::FirstByte) || self.status.is_some();
        let phases = [
            ("dns", timings.dns, self.named && after(Phase::Dns)),
            ("connect", timings.connect, after(Phase::Connect)),
            ("tls", timings.tls, self.https && after(Phase::Tls)),
            ("first_byte", timings.first_byte, head),
            ("transfer", timings.transfer, after(Phase::Body)),
            ("total", timings.total, true),
        ];
        let mut problems = Vec::new();
        if found != Some((kind, Some(self.phase))) {
            problems.push(format!("expected it in {}, found {failure:?}", self.phase));
        }
        for (name, timing, expected) in phases {
            if timing.is_some() != expected {
                problems.push(format!("{name} is {timing:?} after {}", self.phase));
            }
        }
        if report.status_code != self.status {
            problems.push(format!("status {:?}", report.status_code));
        }
        if report.outcome != kind.fault().outcome() {
            problems.push(format!("outcome {}", report.outcome));
        }
        problems
    }
}

/// Brings a failure about. Without a wildcard: a new kind needs a situation.
async fn produce(kind: FailureKind) -> anyhow::Result<Option<Scenario>> {
    let scenario = match kind {
        // Loopback cannot show these, and not everybody may build another network.
        FailureKind::HostUnreachable
        | FailureKind::NetworkUnreachable
        | FailureKind::CheckerNetwork
        | FailureKind::CheckerResources
            if !network::is_available() =>
        {
            return Ok(None);
        }
        FailureKind::DnsNotFound => dns::no_such_name().await?,
        FailureKind::DnsServfail => dns::server_fails().await?,
        FailureKind::DnsTimeout => dns::server_is_silent().await?,
        FailureKind::DnsError => dns::server_refuses().await?,
        FailureKind::ConnectionRefused => connect::closed_port().await?,
        FailureKind::ConnectionReset => response::reset().await?,
        FailureKind::HostUnreachable => connect::no_such_neighbour().await?,
        FailureKind::NetworkUnreachable => connect::router_without_a_route().await?,
        FailureKind::ConnectTimeout => connect::full_backlog().await?,
        FailureKind::AddressNotAllowed => connect::private_address().await?,
        FailureKind::TlsHandshake => tls::plain_text().await?,
        FailureKind::TlsTimeout => tls::silence().await?,
        FailureKind::CertExpired => tls::expired().await?,
        FailureKind::CertNotYetValid => tls::not_yet_valid().await?,
        FailureKind::CertHostnameMismatch => tls::other_name().await?,
        FailureKind::CertUntrusted => tls::other_authority().await?,
        FailureKind::CertRevoked => tls::revoked().await?,
        FailureKind::CertInvalid => tls::certificate_of_a_client().await?,
        FailureKind::FirstByteTimeout => response::silence().await?,
        FailureKind::NoResponse => response::close().await?,
        FailureKind::ProtocolError => response::other_protocol().await?,
        FailureKind::HeaderTooLarge => response::endless_headers().await?,
        FailureKind::BodyTimeout => body::stalled().await?,
        FailureKind::BodyIncomplete => body::cut().await?,
        FailureKind::BodyDecode => body::not_gzip().await?,
        FailureKind::BodyOverLimit => body::over_limit().await?,
        FailureKind::RedirectLimit => redirect::circle().await?,
        FailureKind::RedirectInvalid => redirect::without_location().await?,
        FailureKind::RedirectNotAllowed => redirect::to_a_file().await?,
        FailureKind::UnexpectedStatus => assertion::status().await?,
        FailureKind::ContentUnmatched => assertion::content().await?,
        FailureKind::ContentForbidden => assertion::forbidden_content().await?,
        FailureKind::HeaderUnmatched => assertion::header().await?,
        FailureKind::JsonUnmatched => assertion::json().await?,
        FailureKind::CheckerNetwork => ours::no_route().await?,
        FailureKind::CheckerResources => ours::no_port_left().await?,
        FailureKind::Configuration => ours::unusable_authority().await?,
        // Those of checks that were not made.
        FailureKind::Overloaded | FailureKind::NotRunning | FailureKind::Handover => {
            return Ok(None);
        }
    };
    Ok(Some(scenario))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_failure_is_what_a_real_situation_comes_to() {
    let situations = FailureKind::VARIANTS
        .iter()
        .map(async |kind| (*kind, produce(*kind).await));
    let mut wrong = Vec::new();
    for (kind, scenario) in join_all(situations).await {
        let problems = match scenario {
            Ok(None) => continue,
            Ok(Some(scenario)) => scenario.problems(kind),
            Err(error) => vec![format!("{error:#}")],
        };
        wrong.extend(
            problems
                .into_iter()
                .map(|problem| format!("{kind}: {problem}")),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
