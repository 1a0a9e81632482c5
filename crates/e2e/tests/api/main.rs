//! The API as its users see it: the real program, on a real PostgreSQL.

mod access;
mod document;
mod events;
mod fleet;
mod import;
mod manners;
mod metrics;
mod sites;
mod status;
mod trouble;
