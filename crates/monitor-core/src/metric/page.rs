//! Long answers, a page at a time.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::region::Region;

/// Largest page, in items.
const MAX_LIMIT: u32 = 10_000;

/// Where a page begins: after this item. Items are ordered by instant, then region.
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
    /// Begin after this item; `None` is the first page.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// The first page of up to `limit` items (1 to 10 000; what is outside is moved inside).
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self {
            limit: limit.clamp(1, MAX_LIMIT),
            after: None,
        }
    }

    /// The page after `cursor`, of the same size.
    #[must_use]
    pub fn after(&self, cursor: Cursor) -> Self {
        Self {
            limit: self.limit,
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
    /// In order of instant, then region.
    pub items: Vec<T>,
    /// `None` on the last page.
    pub next: Option<Cursor>,
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
