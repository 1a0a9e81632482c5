//! The store on a real PostgreSQL, named by `DATABASE_URL`: each test has a fresh database.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose preparation fails has failed"
)]

mod cancelled;
mod certificates;
mod checks;
mod connection;
mod days;
mod feed;
mod latest;
mod maintenance;
mod metrics;
mod outages;
mod overview;
mod partitions;
mod replay;
mod rollups;
mod sample;
mod schema;
mod site_changes;
mod site_list;
mod sites;
mod state;
mod stored;
mod summaries;
mod timelines;
mod upgrade;
mod views;
mod writers;
