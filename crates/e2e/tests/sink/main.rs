//! How the sink keeps its promises: nothing lost, nothing twice, nothing skipped in silence.

mod broker;
mod letters;
mod metrics;
mod progress;
mod sharing;
mod trouble;
