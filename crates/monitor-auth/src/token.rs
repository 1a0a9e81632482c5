//! The secret itself.

use std::fmt;

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::grant::{Grant, InvalidGrant};
use crate::scope::Scope;

/// What every token begins with, so that people and scanners of leaked secrets know one when they
/// see it.
const PREFIX: &str = "amt_";
/// Too many to be guessed, and so a plain hash of it is enough: there is nothing to be slow for.
const RANDOM_BYTES: usize = 32;

/// A secret that names its holder. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The system gave no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers to make a token of")]
pub struct NoRandomness;

impl Token {
    /// A new token.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = [0; RANDOM_BYTES];
        rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
        let random = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        Ok(Self(format!("{PREFIX}{random}")))
    }

    /// The text to hand over; never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What a server has to know to let its holder in.
    pub fn grant(&self, name: &str, scope: Scope) -> Result<Grant, InvalidGrant> {
        Grant::new(name, scope, hash(&self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// SHA-256 of a token.
pub(crate) fn hash(token: &str) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut hash = [0; digest::SHA256_OUTPUT_LEN];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_alike_and_none_is_shown() {
        let [one, other] = [(); 2].map(|()| Token::generate().unwrap());
        assert_ne!(one, other);
        assert!(one.expose().starts_with(PREFIX) && one.expose().len() == PREFIX.len() + 43);
        assert_eq!(format!("{one:?}"), "[redacted]");
    }
}
