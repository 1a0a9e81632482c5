//! The API, as it is released.

use std::time::Duration;

use anyhow::Result;
use local_stack::{Process, ReservedPort, Signal, StopStep};

use crate::get::get;
use crate::stack::Stack;

const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// What it is told; the default.
pub(crate) const CONNECTIONS: u32 = 8;

/// It stops when dropped.
pub(crate) struct RunningApi {
    process: Process,
    port: u16,
}

impl RunningApi {
    /// Starts it, and waits until it answers.
    pub(crate) fn start(stack: &Stack, database: &str) -> Result<Self> {
        let [port, ops] = [
            ReservedPort::any()?.release(),
            ReservedPort::any()?.release(),
        ];
        let program = stack
            .program("api", database)
            .env("API_LISTEN", format!("127.0.0.1:{port}"))
            .env("API_DATABASE_CONNECTIONS", CONNECTIONS.to_string())
            .env("OPS_LISTEN", format!("127.0.0.1:{ops}"))
            .stop_with([StopStep::new(Signal::SIGTERM, STOP_PATIENCE)]);
        let mut process = Process::start(&program)?;
        process.wait_until_ready(&stack.control, START_LIMIT, |_| get(ops, "/readyz").ok())?;
        Ok(Self { process, port })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
