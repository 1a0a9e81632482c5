//! Reading `/metrics`.

use anyhow::ensure;
use e2e::{Service, eventually};

/// The sum over all labels of a metric; 0 when it is not there.
pub(crate) fn value(service: &Service, metric: &str) -> anyhow::Result<f64> {
    let (_, text) = service.get("/metrics")?;
    let ours = text.lines().filter(|line| {
        let rest = line.strip_prefix(metric);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
    });
    Ok(ours
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum())
}

/// Waits until the sum over all labels of a metric is as expected.
pub(crate) async fn becomes(service: &Service, metric: &str, expected: f64) -> anyhow::Result<()> {
    eventually(&format!("{metric} is {expected}"), || async {
        let value = value(service, metric)?;
        ensure!((value - expected).abs() < 1e-9, "it is {value}");
        Ok(Some(()))
    })
    .await
}
