//! `admin tokens`: secrets for the API, of which only hashes are kept.

use clap::{Subcommand, ValueEnum};
use monitor_auth::{Scope, Token};

use crate::output::print;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a token, and print it once with what the API has to know of it
    Create {
        /// Whose token it is, as logs will say
        name: String,
        /// What it is good for
        #[arg(long, value_enum, default_value_t = ScopeArgument::Read)]
        scope: ScopeArgument,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ScopeArgument {
    /// Asking
    Read,
    /// Asking, changing sites, making probes
    Write,
}

impl From<ScopeArgument> for Scope {
    fn from(scope: ScopeArgument) -> Self {
        match scope {
            ScopeArgument::Read => Self::Read,
            ScopeArgument::Write => Self::Write,
        }
    }
}

pub(crate) fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Create { name, scope } = command;
    let token = Token::generate()?;
    let grant = token.grant(name, (*scope).into())?;
    print(format!(
        "token, for {name} alone; it cannot be shown again:\n  {}\n\
         for API_TOKENS, comma separated from those that are there:\n  {grant}",
        token.expose()
    ))
}
