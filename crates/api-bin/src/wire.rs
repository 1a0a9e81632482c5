//! The JSON of the API: what is asked with, and what is answered.

mod choice;
mod import;
mod metric;
mod parameter;
mod probe;
mod range;
mod site;
mod stored;
mod time;

pub(crate) use choice::{Direction, Outcomes, SiteIds};
pub(crate) use import::{Import, SiteFileDocument};
pub(crate) use metric::{Answers, Availability, ContentResults, Failures, Metric, ResponseTime};
pub(crate) use parameter::Text;
pub(crate) use probe::Probe;
pub(crate) use range::{FleetMetricQuery, MetricQuery, Resolved, range};
pub(crate) use site::SiteDocument;
pub(crate) use stored::{Listed, Shown, Stored, hidden_values};
pub(crate) use time::{Instant, Length};
