//! A random mix of faults under a monitor at work, and the verdict at the end.
//!
//! Round after round, some late results come in, one or two parts of the system are disturbed for a while, then all is well
//! again, and a new result of every site has to arrive in time. What is done, and for how long, follows
//! from the seed alone.

mod fault;
mod stage;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fastrand::Rng;
use strum::VariantArray as _;

pub use self::fault::Fault;
use self::stage::Stage;
use crate::judge::{Account, canary};

/// How long a fault lasts at most, in most rounds.
const USUAL: Duration = Duration::from_secs(3);
/// How long it lasts at most otherwise.
const LONG: Duration = Duration::from_secs(40);
/// One of so many rounds is long, and comes after so many.
const LONG_IN: u64 = 12;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    /// What all chances follow from.
    pub seed: u64,
    /// After this time no new round begins.
    pub duration: Duration,
}

/// What became of one kind of fault.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// How often it was.
    pub times: u64,
    /// How long it took at most, from its end (and that of the other fault of the round), until a
    /// check of every site that was due after it was stored.
    pub slowest: Duration,
}

/// What a mix came to: everything that must hold did.
#[derive(Debug)]
pub struct Report {
    /// The seed that it followed from.
    pub seed: u64,
    /// How often all was disturbed and well again.
    pub rounds: u64,
    /// By fault.
    pub outcomes: BTreeMap<Fault, Outcome>,
    /// What went in and came out.
    pub account: Account,
}

impl Mix {
    /// Runs it on servers of its own. `tell` hears of each round.
    pub async fn run(&self, tell: impl Fn(&str)) -> anyhow::Result<Report> {
        let mut stage = Stage::start().await?;
        canary(&stage.scene.world).await?;
        let (mut chance, started) = (Rng::with_seed(self.seed), Instant::now());
        let (mut rounds, mut outcomes) = (0, BTreeMap::<Fault, Outcome>::new());
        while started.elapsed() < self.duration {
            rounds += 1;
            let round = Round::draw(&mut chance, rounds);
            stage.send_late(&mut chance).await?;
            let recovery = round.play(&mut stage).await;
            let recovery = recovery.with_context(|| format!("round {rounds}: {round}"))?;
            tell(&format!(
                "round {rounds}: {round}: well again after {:.1} s",
                recovery.as_secs_f64()
            ));
            for fault in round.faults {
                let outcome = outcomes.entry(fault).or_default();
                outcome.times += 1;
                outcome.slowest = outcome.slowest.max(recovery);
            }
        }
        let account = stage.verdict().await?;
        Ok(Report {
            seed: self.seed,
            rounds,
            outcomes,
            account,
        })
    }
}

/// What happens at the same time.
struct Round {
    faults: Vec<Fault>,
    apart: Duration,
    lasting: Duration,
}

impl Round {
    fn draw(chance: &mut Rng, number: u64) -> Self {
        let any = |chance: &mut Rng| Fault::VARIANTS[chance.usize(..Fault::VARIANTS.len())];
        let (first, second) = (any(chance), any(chance));
        let mut faults = vec![first];
        if first.part() != second.part() {
            faults.push(second);
        }
        let most = if number.is_multiple_of(LONG_IN) {
            LONG
        } else {
            USUAL
        };
        Self {
            faults,
            apart: USUAL.mul_f64(chance.f64() / 3.0),
            lasting: most.mul_f64(chance.f64()),
        }
    }

    /// Returns how long recovery took.
    async fn play(&self, stage: &mut Stage) -> anyhow::Result<Duration> {
        for fault in &self.faults {
            tokio::time::sleep(self.apart).await;
            stage.begin(*fault).await?;
        }
        tokio::time::sleep(self.lasting).await;
        stage.end_all(&self.faults).await?;
        let ended = Instant::now();
        canary(&stage.scene.world).await?;
        Ok(ended.elapsed())
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<_> = self.faults.iter().map(ToString::to_string).collect();
        let lasting = self.lasting.as_secs_f64();
        write!(f, "{} for {lasting:.1} s", faults.join(", and "))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| fault | times | outcome |\n|---|---|---|")?;
        for (fault, Outcome { times, slowest }) in &self.outcomes {
            let slowest = slowest.as_secs_f64();
            writeln!(
                f,
                "| {fault} | {times} | well again within {slowest:.1} s |"
            )?;
        }
        let Account {
            events,
            slots,
            rows,
        } = self.account;
        write!(
            f,
            "\nseed {}: {} rounds, {events} events of {slots} slots are {rows} rows, none is missing",
            self.seed, self.rounds
        )
    }
}
