//! What a token is good for.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// What the holder of a token may do. Each scope includes those before it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// Ask.
    Read,
    /// Ask and change.
    Write,
}

impl Scope {
    /// Whether it is enough for something that needs `needed`.
    #[must_use]
    pub fn allows(self, needed: Self) -> bool {
        self >= needed
    }
}
