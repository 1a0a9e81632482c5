//! Bearer tokens: made at random, kept as hashes, compared in constant time.
//!
//! Whoever holds a [`Token`] may do what its [`Grant`] says. A server knows grants alone: from what
//! it stores, no token can be had.
//!
//! ```
//! use monitor_auth::{Grants, Scope, Token};
//!
//! let token = Token::generate()?;
//! let written = token.grant("dashboard", Scope::Read)?.to_string();
//! let grants = Grants::new(vec![written.parse()?])?;
//! let grant = grants.of(token.expose()).expect("the token is known");
//! assert_eq!(grant.name(), "dashboard");
//! assert!(!grant.scope().allows(Scope::Write));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod grant;
mod scope;
mod token;

pub use grant::{Grant, Grants, InvalidGrant, TwoOfOneName};
pub use scope::Scope;
pub use token::{NoRandomness, Token};
