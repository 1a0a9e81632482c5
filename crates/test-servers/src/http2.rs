//! HTTP/2 frames, as bytes (RFC 9113, section 4).

/// Types of frames.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Part of a body.
    Data = 0,
    /// A head.
    Headers = 1,
    /// The end of a stream by error.
    RstStream = 3,
    /// Settings of a connection.
    Settings = 4,
    /// A sign of life.
    Ping = 6,
    /// No more streams.
    GoAway = 7,
    /// The rest of a head.
    Continuation = 9,
}

/// Flag of the last frame of a stream.
pub const END_STREAM: u8 = 1;
/// Flag of an answer to settings or a ping.
pub const ACK: u8 = 1;
/// Flag of the last frame of a head.
pub const END_HEADERS: u8 = 4;

/// The stream of a client's first request.
pub const FIRST: u32 = 1;

/// `:status: 200`, from the static table of HPACK.
pub const STATUS_200: &[u8] = &[0x88];

/// A frame.
#[must_use]
pub fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind as u8, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// What a server says first: its settings, all of them the defaults.
#[must_use]
pub fn settings() -> Vec<u8> {
    frame(Kind::Settings, 0, 0, &[])
}

/// The head of a 200, with the body to follow.
#[must_use]
pub fn head() -> Vec<u8> {
    frame(Kind::Headers, END_HEADERS, FIRST, STATUS_200)
}

/// All that a server says to answer the first request with a 200.
#[must_use]
pub fn ok(body: &[u8]) -> Vec<u8> {
    let data = frame(Kind::Data, END_STREAM, FIRST, body);
    [settings(), head(), data].concat()
}

/// A header field that is not indexed, with its name and its value as they are.
#[must_use]
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name, value] {
        // Seven bits hold the lengths that tests need.
        field.push(u8::try_from(text.len().min(126)).unwrap_or(126));
        field.extend(text.bytes().take(126));
    }
    field
}
