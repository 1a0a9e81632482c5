//! What a server does on one connection.

use std::time::Duration;

/// One thing that a server does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    ReadAny,
    ReadRequest,
    Send(Vec<u8>),
    SendForever { piece: Vec<u8>, pause: Duration },
    Pause(Duration),
    WaitForEnd,
    Abandon,
    Reset,
}

/// What a server does on one connection, step by step. After the last one it closes, as politely as
/// its protocol can.
#[derive(Clone, Debug, Default)]
pub struct Script(pub(crate) Vec<Step>);

impl Script {
    /// Closes at once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a request, and answers it with these bytes.
    #[must_use]
    pub fn answer(response: impl Into<Vec<u8>>) -> Self {
        Self::new().read_request().send(response)
    }

    /// Waits for any bytes.
    #[must_use]
    pub fn read_any(self) -> Self {
        self.then(Step::ReadAny)
    }

    /// Waits for the whole of an HTTP/1 request, and keeps it to be looked at.
    #[must_use]
    pub fn read_request(self) -> Self {
        self.then(Step::ReadRequest)
    }

    /// Sends these bytes.
    #[must_use]
    pub fn send(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Step::Send(bytes.into()))
    }

    /// Sends this again and again, as fast as it is taken, until the client goes away.
    #[must_use]
    pub fn send_forever(self, piece: impl Into<Vec<u8>>) -> Self {
        self.send_slowly(piece, Duration::ZERO)
    }

    /// Sends this again and again, with pauses, until the client goes away.
    #[must_use]
    pub fn send_slowly(self, piece: impl Into<Vec<u8>>, pause: Duration) -> Self {
        let piece = piece.into();
        self.then(Step::SendForever { piece, pause })
    }

    /// Does nothing for a while.
    #[must_use]
    pub fn pause(self, pause: Duration) -> Self {
        self.then(Step::Pause(pause))
    }

    /// Does nothing until the client goes away.
    #[must_use]
    pub fn wait(self) -> Self {
        self.then(Step::WaitForEnd)
    }

    /// Ends the connection without the goodbye that TLS has.
    #[must_use]
    pub fn abandon(self) -> Self {
        self.then(Step::Abandon)
    }

    /// Resets the connection.
    #[must_use]
    pub fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }
}
