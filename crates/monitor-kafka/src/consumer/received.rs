//! A message, detached from the client's buffers.

use rdkafka::Message as _;
use rdkafka::message::{BorrowedMessage, Headers as _};

/// A message that was read.
#[derive(Clone, Debug)]
pub struct Received {
    /// Topic that it was read from.
    pub topic: String,
    /// Partition that it was read from.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` for a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Its headers, in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// During which assignment of the partition it was read.
    pub(super) epoch: u64,
}

impl Received {
    pub(super) fn detach(message: &BorrowedMessage<'_>, epoch: u64) -> Self {
        let headers = message
            .headers()
            .into_iter()
            .flat_map(|headers| headers.iter());
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
            headers: headers
                .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect(),
            epoch,
        }
    }
}
