//! What can be wrong with a configuration, in words for the person who has to mend it.

use std::fmt;

use crate::Variable;

/// One thing that is wrong, as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(String);

impl Problem {
    /// A problem that a section found by itself, with the variable that should be changed.
    ///
    /// The message must not contain the value of a secret.
    #[must_use]
    pub fn new(variable: &str, message: impl fmt::Display) -> Self {
        Self(format!("{variable}: {message}"))
    }

    pub(crate) fn missing(variable: &Variable, misspelt: Option<&str>) -> Self {
        let hint = match misspelt {
            Some(name) => format!("; {name} is set: is that a misspelling?"),
            None => String::new(),
        };
        Self(format!(
            "{} is not set ({}){hint}",
            variable.name, variable.help
        ))
    }

    pub(crate) fn malformed(variable: &Variable, value: &str, reason: &str) -> Self {
        if variable.secret {
            return Self(format!("{}: {reason}", variable.name));
        }
        Self(format!("{}={value}: {reason}", variable.name))
    }

    pub(crate) fn unknown(name: &str, nearest: Option<&str>) -> Self {
        match nearest {
            Some(known) => Self(format!(
                "{name} is not a known variable; did you mean {known}?"
            )),
            None => Self(format!("{name} is not a known variable")),
        }
    }

    pub(crate) fn dotenv(place: &str, message: impl fmt::Display) -> Self {
        Self(format!("{place}: {message}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A configuration that cannot be used: everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Every problem, in the order of the tables.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("bad configuration:")?,
            count => write!(f, "bad configuration, {count} problems:")?,
        }
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}
