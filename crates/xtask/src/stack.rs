//! `cargo xtask stack`: PostgreSQL and Kafka, empty, until Ctrl-C.

use std::time::{Duration, Instant};

use anyhow::Result;
use local_stack::Control;

use crate::local::Local;
use crate::{console, ground, packages};

const FOREVER: Duration = Duration::MAX;

pub(crate) fn run(control: &Control) -> Result<()> {
    let local = Local::open()?;
    packages::ensure(packages::FOR_BUILDING, control)?;
    packages::ensure(packages::FOR_KAFKA, control)?;
    let started = Instant::now();
    console::say("▸ starting PostgreSQL and Kafka");
    let (mut postgres, mut broker) = ground::start_kept(&local, control)?;
    ground::announce(&postgres, &broker, &local, started);
    let env = local.write_env(&ground::variables(&postgres, &broker))?;
    console::say("  use them:  set -a; . .local/env; set +a\n  stop:      Ctrl-C");

    let ended = control.poll(FOREVER, || {
        broker.process().fail_if_exited()?;
        postgres.process().fail_if_exited()?;
        Ok(None::<()>)
    });
    drop(env);
    broker.process().stop()?;
    postgres.stop()?;
    if control.is_cancelled() {
        console::say("\nstopped; data kept in .local");
        return Ok(());
    }
    ended.map(drop)
}
