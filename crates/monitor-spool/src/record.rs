//! What is spooled.

/// One record. Only its owner knows what the bytes mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the order; never given to another record.
    pub sequence: u64,
    /// The instant that it is about, in milliseconds since the epoch.
    pub at: i64,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What a record takes beside its content: sequence number, instant, and its place in a page.
const OVERHEAD: u64 = 24;

/// What a record with so much content counts for.
pub(crate) fn size(content: &[u8]) -> u64 {
    content.len() as u64 + OVERHEAD
}

impl Record {
    /// A record as the file has it.
    pub(crate) fn of(sequence: u64, (at, content): (i64, &[u8])) -> Self {
        Self {
            sequence,
            at,
            bytes: content.to_owned(),
        }
    }

    /// What it counts for against the limit of the spool.
    #[must_use]
    pub fn size(&self) -> u64 {
        size(&self.bytes)
    }
}
