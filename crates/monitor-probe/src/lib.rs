//! One HTTP check, measured.
//!
//! A [`Prober`] makes checks; each gives a [`Report`], never an error: a check that failed is a
//! value too. Every attempt uses a fresh connection and goes through phases, each with its own
//! function and its own typed error:
//!
//! ```text
//! resolve ─▶ filter addresses ─▶ connect ─▶ TLS ─▶ request ─▶ head ─▶ body ─▶ assertions
//!    └──────────────────────── again for each redirect ────────┘
//! ```
//!
//! Nothing outlives a check: the connection is driven inside the check's own future, so dropping
//! the future closes it.

mod address;
mod assertion;
mod attempt;
mod body;
mod connect;
mod der;
mod dns;
mod exchange;
mod failure;
mod observation;
mod prober;
mod redirect;
mod report;
mod resolver;
mod revocation;
mod tls;
mod unfinished;

pub use ipnet::IpNet;
pub use prober::{Prober, ProberError, ProberSettings};
pub use report::Report;
pub use revocation::{RevocationListError, RevocationLists};
