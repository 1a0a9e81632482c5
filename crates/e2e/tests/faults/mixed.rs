//! Several faults at once, at random.

use std::time::Duration;

use anyhow::Context as _;
use e2e::mix::Mix;

#[tokio::test]
async fn a_random_mix_of_faults_loses_nothing() -> anyhow::Result<()> {
    let mix = Mix {
        seed: fastrand::u64(..),
        duration: Duration::from_secs(25),
    };
    let seed = mix.seed;
    println!("seed {seed}");
    let report = mix.run(|_| {}).await;
    let report =
        report.with_context(|| format!("again: cargo xtask soak --minutes 1 --seed {seed}"));
    println!("{}", report?);
    Ok(())
}
