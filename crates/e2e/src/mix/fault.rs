//! What can be done to a monitor.

use strum::{Display, VariantArray};

/// One fault. In words, it completes the sentence "meanwhile, …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display, VariantArray)]
pub enum Fault {
    /// The checker's connections to the broker are reset, new ones refused.
    #[strum(serialize = "the broker refuses the checker")]
    CheckerRefused,
    /// Nothing of what checker and broker say arrives.
    #[strum(serialize = "checker and broker do not hear each other")]
    CheckerUnheard,
    /// The broker appends, and the checker does not learn of it.
    #[strum(serialize = "the broker's answers to the checker are lost")]
    CheckerUnanswered,
    /// Each piece takes its time.
    #[strum(serialize = "the checker's way to the broker is slow")]
    CheckerSlow,
    /// The sink's connections to the broker are reset, new ones refused.
    #[strum(serialize = "the broker refuses the sink")]
    SinkRefused,
    /// Nothing of what sink and broker say arrives.
    #[strum(serialize = "sink and broker do not hear each other")]
    SinkUnheard,
    /// The sink's connections to the database are reset, new ones refused.
    #[strum(serialize = "the database refuses connections")]
    DatabaseRefused,
    /// Nothing of what the services and the database say arrives.
    #[strum(serialize = "the database is not heard any more")]
    DatabaseUnheard,
    /// The database commits, and the sink does not learn of it.
    #[strum(serialize = "the database's answers are lost")]
    DatabaseUnanswered,
    /// Each piece takes its time.
    #[strum(serialize = "the way to the database is slow")]
    DatabaseSlow,
    /// All sessions are ended.
    #[strum(serialize = "the database ends all sessions")]
    SessionsEnded,
    /// It dies, and is started again.
    #[strum(serialize = "the database is killed")]
    DatabaseKilled,
    /// It stops cleanly, and is started again.
    #[strum(serialize = "the database is restarted")]
    DatabaseRestarted,
    /// Its processes do not run.
    #[strum(serialize = "the database is frozen")]
    DatabaseFrozen,
    /// It dies, and is started again.
    #[strum(serialize = "the broker is killed")]
    BrokerKilled,
    /// It stops cleanly, and is started again.
    #[strum(serialize = "the broker is restarted")]
    BrokerRestarted,
    /// Its process does not run.
    #[strum(serialize = "the broker is frozen")]
    BrokerFrozen,
    /// It dies, and is started again.
    #[strum(serialize = "the checker is killed")]
    CheckerKilled,
    /// Its process does not run.
    #[strum(serialize = "the checker is frozen")]
    CheckerFrozen,
    /// It is asked to stop, and started again.
    #[strum(serialize = "the checker is restarted")]
    CheckerRestarted,
    /// It dies, and is started again.
    #[strum(serialize = "the sink is killed")]
    SinkKilled,
    /// Its process does not run.
    #[strum(serialize = "the sink is frozen")]
    SinkFrozen,
    /// It is asked to stop, and started again.
    #[strum(serialize = "the sink is restarted")]
    SinkRestarted,
    /// Another sink joins its group, and leaves.
    #[strum(serialize = "a second sink comes and goes")]
    SecondSink,
}

/// What a fault befalls. Two at once befall different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    CheckerLine,
    SinkLine,
    DatabaseLine,
    Database,
    Broker,
    Checker,
    Sink,
}

impl Fault {
    pub(super) fn part(self) -> Part {
        match self {
            Self::CheckerRefused
            | Self::CheckerUnheard
            | Self::CheckerUnanswered
            | Self::CheckerSlow => Part::CheckerLine,
            Self::SinkRefused | Self::SinkUnheard => Part::SinkLine,
            Self::DatabaseRefused
            | Self::DatabaseUnheard
            | Self::DatabaseUnanswered
            | Self::DatabaseSlow => Part::DatabaseLine,
            Self::SessionsEnded
            | Self::DatabaseKilled
            | Self::DatabaseRestarted
            | Self::DatabaseFrozen => Part::Database,
            Self::BrokerKilled | Self::BrokerRestarted | Self::BrokerFrozen => Part::Broker,
            Self::CheckerKilled | Self::CheckerFrozen | Self::CheckerRestarted => Part::Checker,
            Self::SinkKilled | Self::SinkFrozen | Self::SinkRestarted | Self::SecondSink => {
                Part::Sink
            }
        }
    }
}
