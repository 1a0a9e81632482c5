//! The JSON of the API: what is asked with, and what is answered.

mod choice;
mod metric;
mod probe;
mod range;
mod site;
mod stored;

pub(crate) use choice::{Direction, Outcomes};
pub(crate) use metric::{Answers, Availability, ContentResults, Failures, Metric, ResponseTime};
pub(crate) use probe::Probe;
pub(crate) use range::{FleetMetricQuery, Instant, Length, MetricQuery, Resolved, range};
pub(crate) use site::SiteDocument;
pub(crate) use stored::{Listed, Shown, Stored, hidden_values};
