//! Who may do what: all that a server keeps of a token.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::SHA256_OUTPUT_LEN;

use crate::scope::Scope;
use crate::token::hash;

/// Longest name of a token's holder.
const MAX_NAME: usize = 64;

/// What the holder of one token may do, and the hash that tells who holds it. Written as
/// `name:scope:hash`, the hash in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    name: String,
    scope: Scope,
    hash: [u8; SHA256_OUTPUT_LEN],
}

/// Why a text is not a grant. It repeats nothing of the text: it may be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGrant {
    /// Not three parts.
    #[error("expected NAME:SCOPE:HASH as `admin tokens create` prints it, not a token itself")]
    Shape,
    /// Not a name.
    #[error("the name must be 1 to {MAX_NAME} letters, digits, '-', '_' or '.'")]
    Name,
    /// Not a scope.
    #[error("the scope must be read or write")]
    Scope,
    /// Not a hash.
    #[error("the hash must be 64 hexadecimal digits, the SHA-256 of the token")]
    Hash,
}

impl Grant {
    pub(crate) fn new(
        name: &str,
        scope: Scope,
        hash: [u8; SHA256_OUTPUT_LEN],
    ) -> Result<Self, InvalidGrant> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
            return Err(InvalidGrant::Name);
        }
        Ok(Self {
            name: name.to_owned(),
            scope,
            hash,
        })
    }

    /// Whose token it is, for logs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the holder may do.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }
}

impl FromStr for Grant {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.split(':').collect();
        let [name, scope, digits] = parts[..] else {
            return Err(InvalidGrant::Shape);
        };
        let scope = scope.parse().map_err(|_| InvalidGrant::Scope)?;
        let hash = bytes_of(digits).ok_or(InvalidGrant::Hash)?;
        Self::new(name, scope, hash)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.name, self.scope)?;
        self.hash
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.scope)
    }
}

fn bytes_of(digits: &str) -> Option<[u8; SHA256_OUTPUT_LEN]> {
    let nibbles = digits.chars().map(|digit| digit.to_digit(16));
    let nibbles: Vec<u8> = nibbles
        .map(|nibble| u8::try_from(nibble?).ok())
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = nibbles
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, nibble| byte << 4 | nibble))
        .collect();
    nibbles.len().is_multiple_of(2).then_some(())?;
    bytes.try_into().ok()
}

/// All grants of a server. None at all means that it knows no tokens.
#[derive(Clone, Debug, Default)]
pub struct Grants(Vec<Grant>);

/// Two tokens have the same name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are two tokens named {0:?}: give each a name of its own, so that logs can tell them apart"
)]
pub struct TwoOfOneName(String);

impl Grants {
    /// These grants; each has a name of its own.
    pub fn new(grants: Vec<Grant>) -> Result<Self, TwoOfOneName> {
        let mut names = HashSet::new();
        match grants.iter().find(|grant| !names.insert(&grant.name)) {
            Some(twice) => Err(TwoOfOneName(twice.name.clone())),
            None => Ok(Self(grants)),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the holder of `token` may do; `None` when nobody holds it. How long that takes tells
    /// nothing about the tokens: all hashes are looked at, each in constant time.
    #[must_use]
    pub fn of(&self, token: &str) -> Option<&Grant> {
        let hash = hash(token);
        let known = |grant: &&Grant| verify_slices_are_equal(&grant.hash, &hash).is_ok();
        self.0
            .iter()
            .fold(None, |found, grant| Some(grant).filter(known).or(found))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::token::Token;

    fn grants(of: &[(&Token, &str, Scope)]) -> Grants {
        let grants = of
            .iter()
            .map(|(token, name, scope)| token.grant(name, *scope).unwrap());
        Grants::new(grants.collect()).unwrap()
    }

    #[test]
    fn only_who_holds_a_token_is_known_and_only_for_its_scope() {
        let [reader, writer, stranger] = [(); 3].map(|()| Token::generate().unwrap());
        let grants = grants(&[(&reader, "r", Scope::Read), (&writer, "w", Scope::Write)]);
        let scope = |token: &Token| grants.of(token.expose()).map(Grant::scope);
        assert_eq!(scope(&reader), Some(Scope::Read));
        assert_eq!(scope(&writer), Some(Scope::Write));
        assert_eq!(scope(&stranger), None);
        assert_eq!(grants.of(""), None);
        assert!(Scope::Write.allows(Scope::Read) && !Scope::Read.allows(Scope::Write));
    }

    #[test]
    fn a_name_is_given_once() {
        let [one, other] = [(); 2].map(|()| Token::generate().unwrap());
        let grants = [&one, &other].map(|token| token.grant("ci", Scope::Read).unwrap());
        assert!(
            Grants::new(grants.to_vec())
                .unwrap_err()
                .to_string()
                .contains("\"ci\"")
        );
    }

    #[test]
    fn what_is_no_grant_is_told_without_repeating_it() {
        let hash = "0".repeat(64);
        for (text, expected) in [
            ("amt_secret", InvalidGrant::Shape),
            (&format!("ci:read:{hash}:x"), InvalidGrant::Shape),
            (&format!(":read:{hash}"), InvalidGrant::Name),
            (&format!("a b:read:{hash}"), InvalidGrant::Name),
            (&format!("ci:admin:{hash}"), InvalidGrant::Scope),
            ("ci:read:amt_secret", InvalidGrant::Hash),
            (&format!("ci:read:{hash}0"), InvalidGrant::Hash),
            (&format!("ci:read:{}", "é".repeat(32)), InvalidGrant::Hash),
        ] {
            let error = text.parse::<Grant>().unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    proptest! {
        #[test]
        fn a_grant_is_read_as_it_was_written(name in "[a-zA-Z0-9._-]{1,64}", hash: [u8; 32], write: bool) {
            let scope = if write { Scope::Write } else { Scope::Read };
            let grant = Grant::new(&name, scope, hash).unwrap();
            prop_assert!(grant.to_string().parse() == Ok(grant));
        }

        #[test]
        fn no_text_is_too_strange_to_be_refused(text: String) {
            drop(text.parse::<Grant>());
        }
    }
}
