//! The headers of messages that others have written.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rdkafka::Message as _;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers as _, OwnedHeaders};

/// A name and a value; a header may repeat and may have no value.
pub(crate) type Header = (String, Option<Vec<u8>>);

/// The headers of a message. Kafka wants their names to be UTF-8, and leaves it to producers to see
/// to that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers {
    /// Those whose names are text, in order.
    pub(crate) readable: Vec<Header>,
    /// All of them, byte for byte, when there are others too.
    pub(crate) raw: Option<OwnedHeaders>,
}

impl Headers {
    /// The headers of a message.
    pub(crate) fn of(message: &BorrowedMessage<'_>) -> Self {
        let Some(headers) = message.headers() else {
            return Self::default();
        };
        let all = 0..headers.count();
        let readable: Vec<_> = all.filter_map(|index| read(headers, index)).collect();
        let unreadable = headers.count() - readable.len();
        if unreadable > 0 {
            tracing::warn!(
                kafka.partition = message.partition(),
                kafka.offset = message.offset(),
                unreadable,
                "a message has headers whose names are not UTF-8; the panics logged before this are \
                 those of reading them, and harm nothing"
            );
        }
        Self {
            readable,
            raw: (unreadable > 0).then(|| headers.detach()),
        }
    }

    /// How many have names that are no text.
    pub(crate) fn unreadable(&self) -> usize {
        let all = self.raw.as_ref().map(OwnedHeaders::count);
        all.map_or(0, |all| all - self.readable.len())
    }
}

/// One header; `None` when its name is not UTF-8. The client library takes for granted that it is,
/// and offers no other way to a header. It panics in Rust, with nothing half done.
fn read(headers: &BorrowedHeaders, index: usize) -> Option<Header> {
    let reading = AssertUnwindSafe(|| {
        let header = headers.try_get(index)?;
        Some((header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
    });
    catch_unwind(reading).ok().flatten()
}
