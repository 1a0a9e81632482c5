//! Our checker beside another contender.

use std::fmt;

use serde::Serialize;

use crate::contender::Contender;
use crate::nginx::Scheme;
use crate::rounds::Sample;
use crate::statistics::Spread;
use crate::target::Target;

/// How the two compare, round by round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Comparison {
    pub(super) scheme: Scheme,
    pub(super) ours: Contender,
    pub(super) other: Contender,
    /// Of the floor: how many times its cost ours is. Of a peer: how many times ours its cost is.
    pub(super) ratio: Spread,
    pub(super) target: Option<Target>,
}

/// `None` when the two were not measured in any same round.
pub(super) fn compare(
    samples: &[Sample],
    scheme: Scheme,
    ours: Contender,
    other: Contender,
) -> Option<Comparison> {
    let cost = |round: u32, contender: Contender| {
        let of = |sample: &&Sample| {
            (sample.round, sample.scheme, sample.contender) == (round, scheme, contender)
        };
        Some(samples.iter().find(of)?.window.cpu_micros)
    };
    let rounds = 1..=samples.iter().map(|sample| sample.round).max()?;
    let ratios = rounds.filter_map(|round| {
        let (ours, theirs) = (cost(round, ours)?, cost(round, other)?);
        Some(if is_floor(other) {
            ours / theirs
        } else {
            theirs / ours
        })
    });
    Some(Comparison {
        scheme,
        ours,
        other,
        ratio: Spread::of(ratios)?,
        target: target(scheme, ours, other),
    })
}

fn is_floor(other: Contender) -> bool {
    matches!(other, Contender::Wrk | Contender::WrkSingle)
}

/// The targets are for the same load on both sides: as many requests at a time, as fast as can be.
fn target(scheme: Scheme, ours: Contender, other: Contender) -> Option<Target> {
    if ours != Contender::CheckerFull {
        return None;
    }
    Some(match (other, scheme) {
        (Contender::Wrk, Scheme::Http) => Target::AtMost(1.15),
        (Contender::Wrk, Scheme::Https) => Target::AtMost(0.85),
        (Contender::Blackbox, Scheme::Http) => Target::AtLeast(8.0),
        (Contender::Blackbox, Scheme::Https) | (Contender::Aiohttp, _) => Target::AtLeast(5.0),
        _ => return None,
    })
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, ours, other) = (self.scheme.name(), self.ours, self.other);
        if is_floor(other) {
            write!(f, "{scheme}: {ours} / {other}")
        } else {
            write!(f, "{scheme}: {other} / {ours}")
        }
    }
}
