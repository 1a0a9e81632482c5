//! Servers for tests: they do exactly what a script says, however wrong that is.
//!
//! - [`Server`] plays a [`Script`] on each connection, in plain text or behind TLS.
//! - [`ClosedPort`] and [`FullBacklog`] are addresses at which nobody answers.
//! - [`DnsServer`] answers for the names of a [`Zone`].
//! - [`Authority`] makes certificates, good and bad ones, and revokes them.
//! - [`http2`] builds HTTP/2 frames, and [`http1`] HTTP/1 messages.
//! - [`Proxy`] stands between two programs, and does to their connections what it is told.
//! - [`network`] is for what only a network of one's own can show.
//!
//! Everything listens on free loopback ports and ends when its handle is dropped. Nothing here knows
//! the monitor, and nothing of this is shipped.

mod certificates;
mod dns;
pub mod http1;
pub mod http2;
pub mod network;
mod proxy;
mod revocation;
mod script;
mod server;
mod unanswered;

pub use certificates::{Authority, Identity, Leaf, Validity, unreadable};
pub use dns::{Answer, DnsServer, Zone};
pub use hickory_proto::op::ResponseCode;
pub use proxy::{Proxy, Traffic};
pub use revocation::{CertificateStatus, OcspAnswer, Signer};
pub use script::Script;
pub use server::Server;
pub use unanswered::{ClosedPort, FullBacklog};
