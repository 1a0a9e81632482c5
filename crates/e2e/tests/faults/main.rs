//! Faults of all that the monitor stands on, each a real one under the real programs, and what must
//! hold once they have stopped. `docs/reliability.md` has the table.

mod checker;
mod cluster;
mod documented;
mod injected;
mod kafka;
mod mixed;
mod pooler;
mod postgres;
mod services;
mod sink;
mod spool;
mod tls;
