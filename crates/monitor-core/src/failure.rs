//! Outcomes, and why a check was not simply `up`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// How a scheduled slot ended. Every slot ends as exactly one of these.
///
/// Uptime is `(up + degraded) / (up + degraded + down)`: `missed` and `error` are our own trouble
/// and never count against the site.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// The site answered as expected.
    Up,
    /// The site answered as expected, but something calls for attention: see [`Warning`](crate::event::Warning).
    Degraded,
    /// The site did not answer as expected.
    Down,
    /// The slot was not checked.
    Missed,
    /// The check failed for a reason of our own.
    Error,
}

impl Outcome {
    /// Whether the site was available: it answered as expected, perhaps with a warning.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Up | Self::Degraded)
    }

    /// Whether the slot was really checked, so that the outcome says something about the site.
    #[must_use]
    pub fn is_verdict(self) -> bool {
        matches!(self, Self::Up | Self::Degraded | Self::Down)
    }
}

/// The part of a check in which it failed, in the order in which they happen.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    /// Resolving the host name.
    Dns,
    /// Opening the TCP connection.
    Connect,
    /// The TLS handshake, including certificate verification.
    Tls,
    /// Sending the request.
    Send,
    /// Waiting for the response head.
    FirstByte,
    /// Reading the response body.
    Body,
    /// Judging the response against the site's rules.
    Assertion,
}

/// Whose trouble a failure is; decides the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The site's: the outcome is [`Outcome::Down`].
    Site,
    /// The checker's: the outcome is [`Outcome::Error`].
    Checker,
    /// Nobody looked: the outcome is [`Outcome::Missed`].
    NotChecked,
}

impl Fault {
    /// The outcome of a check that failed through this fault.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Site => Outcome::Down,
            Self::Checker => Outcome::Error,
            Self::NotChecked => Outcome::Missed,
        }
    }
}

/// The closed list of reasons why a check failed.
///
/// The names are a contract: dashboards and queries group by them.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FailureKind {
    /// The name does not exist (NXDOMAIN) or has no address.
    DnsNotFound,
    /// The name server answered SERVFAIL.
    DnsServfail,
    /// No name server answered in time.
    DnsTimeout,
    /// Any other trouble with the name.
    DnsError,
    /// The port is closed.
    ConnectionRefused,
    /// The peer reset the connection.
    ConnectionReset,
    /// No route to the host (`EHOSTUNREACH`).
    HostUnreachable,
    /// No route to the network (`ENETUNREACH`).
    NetworkUnreachable,
    /// The connection was not open in time.
    ConnectTimeout,
    /// The name resolves only to addresses that must not be checked.
    AddressNotAllowed,
    /// The handshake failed for a reason other than the certificate.
    TlsHandshake,
    /// The handshake did not end in time.
    TlsTimeout,
    /// The certificate, or one of its chain, has expired.
    CertExpired,
    /// The certificate, or one of its chain, is not valid yet.
    CertNotYetValid,
    /// The certificate is for another name.
    CertHostnameMismatch,
    /// The certificate's issuer is not trusted.
    CertUntrusted,
    /// The certificate has been revoked.
    CertRevoked,
    /// The certificate is malformed, badly signed or unfit for this use.
    CertInvalid,
    /// The response did not begin in time.
    FirstByteTimeout,
    /// The connection was closed before a response began.
    NoResponse,
    /// What came back is not HTTP, or breaks its rules.
    ProtocolError,
    /// The response head exceeds its limits.
    HeaderTooLarge,
    /// The body did not end in time.
    BodyTimeout,
    /// The connection ended in the middle of the body.
    BodyIncomplete,
    /// The body's content encoding is broken.
    BodyDecode,
    /// A rule needs more of the body than the site's `body_limit`.
    BodyOverLimit,
    /// More redirects than the site allows.
    RedirectLimit,
    /// A redirect without a usable `Location`.
    RedirectInvalid,
    /// A redirect to where this site must not lead.
    RedirectNotAllowed,
    /// The status code is not among the expected ones.
    UnexpectedStatus,
    /// `content_regex` does not match.
    ContentUnmatched,
    /// `content_regex_absent` matches.
    ContentForbidden,
    /// An expected header is absent, or no value of it matches.
    HeaderUnmatched,
    /// An expected JSONPath query selects nothing.
    JsonUnmatched,
    /// The checker's own network is down.
    CheckerNetwork,
    /// The checker has run out of file descriptors, ports or memory.
    CheckerResources,
    /// The site cannot be checked as it is configured.
    Configuration,
    /// The checker was too busy to start the check in its slot.
    Overloaded,
    /// No checker was running.
    NotRunning,
    /// The site was changing hands between checkers.
    Handover,
}

impl FailureKind {
    /// Whose trouble this is.
    #[must_use]
    pub fn fault(self) -> Fault {
        match self {
            Self::CheckerNetwork | Self::CheckerResources | Self::Configuration => Fault::Checker,
            Self::Overloaded | Self::NotRunning | Self::Handover => Fault::NotChecked,
            _ => Fault::Site,
        }
    }
}

/// Why a check failed, where, and in one line for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure<T = String> {
    /// The reason, from the closed list.
    pub kind: FailureKind,
    /// Where the check died; `null` when it never began.
    #[serde(default)]
    pub phase: Option<Phase>,
    /// One line for people; never holds a secret.
    pub detail: T,
}

/// Longest `detail`, in characters; what is longer is cut.
const MAX_DETAIL: usize = 256;

impl Failure {
    /// A failure in a phase. `detail` is flattened to one line without control characters and cut
    /// to 256 characters, because parts of it may come from the remote side.
    #[must_use]
    pub fn new(kind: FailureKind, phase: Option<Phase>, detail: &str) -> Self {
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        Self {
            kind,
            phase,
            detail: detail.chars().map(printable).take(MAX_DETAIL).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_snake_case_name_in_json_and_in_text() {
        for kind in FailureKind::VARIANTS {
            let name: &str = kind.into();
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            assert_eq!(name.parse::<FailureKind>().unwrap(), *kind);
        }
    }

    #[test]
    fn only_the_last_two_groups_are_our_own_trouble() {
        let first_of_ours = FailureKind::VARIANTS
            .iter()
            .position(|k| *k == FailureKind::CheckerNetwork)
            .unwrap();
        let (theirs, ours) = FailureKind::VARIANTS.split_at(first_of_ours);
        assert!(theirs.iter().all(|k| k.fault().outcome() == Outcome::Down));
        assert!(ours.iter().all(|k| k.fault().outcome() != Outcome::Down));
    }

    #[test]
    fn remote_text_cannot_break_the_line_or_flood_it() {
        let failure = Failure::new(
            FailureKind::ProtocolError,
            None,
            &format!("a\0b\x1b[31m\n{}", "x".repeat(9999)),
        );
        assert!(failure.detail.starts_with("a b [31m x"));
        assert_eq!(failure.detail.chars().count(), MAX_DETAIL);
    }
}
