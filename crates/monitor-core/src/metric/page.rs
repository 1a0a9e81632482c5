//! Long answers, a page at a time.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::region::Region;

/// Largest page, in items.
const MAX_LIMIT: u32 = 10_000;

/// Which way a long answer goes: by instant, then region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Forwards.
    #[default]
    OldestFirst,
    /// Backwards.
    NewestFirst,
}

/// Where a page begins: after this item, in the order of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cursor {
    /// Instant of the last item that was seen.
    pub scheduled_at: DateTime<Utc>,
    /// Its region.
    pub region: Region,
}

/// One page of a long answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    limit: u32,
    /// Which way the pages go; all of them the same.
    pub order: Order,
    /// Begin after this item; `None` is the first page.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// The first page of up to `limit` items (1 to 10 000; what is outside is moved inside), oldest
    /// first.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self::in_order(Order::OldestFirst, limit)
    }

    /// The same, newest first.
    #[must_use]
    pub fn newest(limit: u32) -> Self {
        Self::in_order(Order::NewestFirst, limit)
    }

    fn in_order(order: Order, limit: u32) -> Self {
        Self {
            limit: limit.clamp(1, MAX_LIMIT),
            order,
            after: None,
        }
    }

    /// The page after `cursor`, of the same size and in the same order.
    #[must_use]
    pub fn after(&self, cursor: Cursor) -> Self {
        Self {
            limit: self.limit,
            order: self.order,
            after: Some(cursor),
        }
    }

    /// Most items that the page may have.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

/// The items of a page, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Page<T> {
    /// In the order that was asked for.
    pub items: Vec<T>,
    /// `None` on the last page.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The same page with something else of each item.
    #[must_use]
    pub fn map<U>(self, item: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(item).collect(),
            next: self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_never_exceeds_its_bounds() {
        assert_eq!(PageRequest::first(0).limit(), 1);
        assert_eq!(PageRequest::first(u32::MAX).limit(), MAX_LIMIT);
    }
}
