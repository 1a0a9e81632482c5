//! What lies in `deploy/` for Grafana and Prometheus: its SQL runs on a real database, as the user who
//! only reads, and says what it should; its metrics are ones that are there; its files fit together.

mod board;
mod files;
mod history;
mod promql;
mod sql;
