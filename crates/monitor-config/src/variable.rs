//! One environment variable, as data.

/// What happens when a variable is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// The program does not start without it.
    Required,
    /// The field of the struct is an `Option`, which stays `None`.
    Optional,
    /// This text is read as if it had been set.
    Default(&'static str),
}

/// One environment variable: its name, its default, and a line of help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// The full name, with the prefix of its section.
    pub name: &'static str,
    /// What happens when it is not set.
    pub fallback: Fallback,
    /// One line for people, without a full stop.
    pub help: &'static str,
    /// A value for `.env.template` where there is no default to show.
    pub example: Option<&'static str>,
    /// Whether the value must be kept out of messages and logs.
    pub secret: bool,
}

impl Variable {
    /// A variable without which the program does not start.
    #[must_use]
    pub const fn required(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Fallback::Required, help)
    }

    /// A variable that may be left out; its field is an `Option`.
    #[must_use]
    pub const fn optional(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Fallback::Optional, help)
    }

    /// A variable that takes `default` when it is not set.
    #[must_use]
    pub const fn with_default(
        name: &'static str,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self::new(name, Fallback::Default(default), help)
    }

    /// The same variable, its value kept out of messages and logs.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The same variable, with a value to show in `.env.template`.
    #[must_use]
    pub const fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    /// The text that stands in for an unset variable.
    #[must_use]
    pub const fn default(&self) -> Option<&'static str> {
        match self.fallback {
            Fallback::Default(default) => Some(default),
            Fallback::Required | Fallback::Optional => None,
        }
    }

    const fn new(name: &'static str, fallback: Fallback, help: &'static str) -> Self {
        Self {
            name,
            fallback,
            help,
            example: None,
            secret: false,
        }
    }
}
