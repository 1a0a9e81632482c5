//! Why an attempt ended early.

use monitor_core::{Failure, FailureKind, Phase};

/// A failed phase: what, where, and one line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) kind: FailureKind,
    pub(crate) phase: Phase,
    pub(crate) detail: String,
}

impl Failed {
    pub(crate) fn new(kind: FailureKind, phase: Phase, detail: impl Into<String>) -> Self {
        Self {
            kind,
            phase,
            detail: detail.into(),
        }
    }

    /// The deadline fell while `phase` was going on.
    pub(crate) fn deadline(phase: Phase, after: std::time::Duration) -> Self {
        let (kind, doing) = match phase {
            Phase::Dns => (FailureKind::DnsTimeout, "resolving the name"),
            Phase::Connect => (FailureKind::ConnectTimeout, "connecting"),
            Phase::Tls => (FailureKind::TlsTimeout, "the TLS handshake"),
            Phase::Send | Phase::FirstByte => {
                (FailureKind::FirstByteTimeout, "waiting for the response")
            }
            Phase::Body | Phase::Assertion => (FailureKind::BodyTimeout, "reading the body"),
        };
        Self::new(kind, phase, format!("{doing} took longer than {after:?}"))
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        Self::new(failed.kind, Some(failed.phase), &failed.detail)
    }
}

/// The kind of an input/output error on a connection; `otherwise` when it has no kind of its own.
pub(crate) fn kind_of_io(error: &std::io::Error, otherwise: FailureKind) -> FailureKind {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => FailureKind::ConnectionRefused,
        // One that the system does not know: what h2 calls the end of a connection.
        ErrorKind::BrokenPipe if error.raw_os_error().is_none() => otherwise,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            FailureKind::ConnectionReset
        }
        ErrorKind::HostUnreachable => FailureKind::HostUnreachable,
        ErrorKind::NetworkUnreachable => FailureKind::NetworkUnreachable,
        ErrorKind::TimedOut => timeout_instead_of(otherwise),
        ErrorKind::NetworkDown => FailureKind::CheckerNetwork,
        ErrorKind::OutOfMemory | ErrorKind::AddrNotAvailable => FailureKind::CheckerResources,
        _ if error.raw_os_error().is_some_and(is_exhaustion) => FailureKind::CheckerResources,
        _ => otherwise,
    }
}

/// The timeout of the phase that fails with `kind` otherwise: the system gives up on a peer that
/// acknowledges nothing.
fn timeout_instead_of(kind: FailureKind) -> FailureKind {
    match kind {
        FailureKind::TlsHandshake => FailureKind::TlsTimeout,
        FailureKind::NoResponse => FailureKind::FirstByteTimeout,
        FailureKind::BodyIncomplete => FailureKind::BodyTimeout,
        _ => FailureKind::ConnectTimeout,
    }
}

/// `ENFILE`, `EMFILE` and `ENOBUFS` of Linux, which have no [`std::io::ErrorKind`].
fn is_exhaustion(code: i32) -> bool {
    matches!(code, 23 | 24 | 105)
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_peer_that_falls_silent_is_a_timeout_of_the_phase_that_goes_on() {
        for (otherwise, expected) in [
            (FailureKind::HostUnreachable, FailureKind::ConnectTimeout),
            (FailureKind::TlsHandshake, FailureKind::TlsTimeout),
            (FailureKind::NoResponse, FailureKind::FirstByteTimeout),
            (FailureKind::BodyIncomplete, FailureKind::BodyTimeout),
        ] {
            let error = Error::from(ErrorKind::TimedOut);
            assert_eq!(kind_of_io(&error, otherwise), expected);
        }
    }

    #[test]
    fn our_own_exhaustion_is_not_the_fault_of_the_site() {
        for code in [12, 23, 24, 99, 105] {
            let kind = kind_of_io(
                &Error::from_raw_os_error(code),
                FailureKind::ConnectionRefused,
            );
            assert_eq!(kind, FailureKind::CheckerResources, "{code}");
        }
    }
}
