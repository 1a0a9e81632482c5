//! Where settings come from: the variables of the process and the file `.env`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::dotenv::{self, DotenvFile};
use crate::loader::Loader;
use crate::unknown::unknown_variables;
use crate::{ConfigError, Problem, Sections, section};

/// The variables that were set when the program started.
///
/// Read once; nothing else in the program looks at the environment. A variable that is set to
/// nothing, or to spaces, counts as unset.
#[derive(Clone, Default)]
pub struct Environment {
    /// `None` stands for a value that is not UTF-8.
    variables: BTreeMap<String, Option<String>>,
    problems: Vec<Problem>,
}

/// The value of a variable.
pub(crate) enum Value<'a> {
    Unset,
    Text(&'a str),
    NotUnicode,
}

impl Environment {
    /// The variables of this process and, below them, those of the file `.env` in the current
    /// directory when there is one. What is wrong with that file is reported by
    /// [`load`](Self::load), together with all other problems.
    #[must_use]
    pub fn from_process() -> Self {
        let real = std::env::vars_os().map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.into_string().ok(),
            )
        });
        let mut environment = Self {
            variables: real.collect(),
            problems: Vec::new(),
        };
        environment.add_file(Path::new(".env"));
        environment
    }

    /// Exactly these variables, for tests and tools.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let pairs = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), Some(value.into())));
        Self {
            variables: pairs.collect(),
            problems: Vec::new(),
        }
    }

    /// Exactly the variables of a `.env` file with this text.
    pub(crate) fn from_dotenv(text: &str) -> Self {
        let mut environment = Self::default();
        environment.add(dotenv::parse(text, ".env"));
        environment
    }

    /// Reads the sections `S`.
    ///
    /// # Errors
    ///
    /// Names every problem of every section, so that one attempt shows all there is to mend.
    pub fn load<S: Sections>(&self) -> Result<S, ConfigError> {
        let tables = section::collect::<S>();
        let variables = tables.iter().flat_map(|table| table.variables);
        let known: Vec<&'static str> = variables.map(|variable| variable.name).collect();
        let unknown = unknown_variables(self, &tables, &known);

        let mut loader = Loader::new(self, known);
        let sections = S::read(&mut loader);

        let mut problems = self.problems.clone();
        problems.extend(loader.into_problems());
        problems.extend(unknown);
        match sections {
            Some(sections) if problems.is_empty() => Ok(sections),
            _ => Err(ConfigError::new(problems)),
        }
    }

    /// The variables of `S` that are set to something, as `NAME=value` with secrets redacted: what
    /// a service logs of its configuration when it starts.
    #[must_use]
    pub fn summary<S: Sections>(&self) -> String {
        let tables = section::tables::<S>();
        let settings =
            tables
                .into_iter()
                .flatten()
                .filter_map(|variable| match self.value(variable.name) {
                    Value::Text(_) if variable.secret => {
                        Some(format!("{}=[redacted]", variable.name))
                    }
                    Value::Text(text) => Some(format!("{}={text}", variable.name)),
                    Value::Unset | Value::NotUnicode => None,
                });
        settings.collect::<Vec<_>>().join(" ")
    }

    /// Whether a variable is set to something, for conventions such as `NO_COLOR`.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        !matches!(self.value(name), Value::Unset)
    }

    pub(crate) fn value(&self, name: &str) -> Value<'_> {
        match self.variables.get(name) {
            Some(Some(text)) if !text.trim().is_empty() => Value::Text(text),
            Some(None) => Value::NotUnicode,
            _ => Value::Unset,
        }
    }

    /// Every variable that is set to something readable.
    pub(crate) fn set(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .filter_map(|(name, value)| match value {
                Some(text) if !text.trim().is_empty() => Some((name.as_str(), text.as_str())),
                _ => None,
            })
    }

    /// Adds the variables of a file that are not set yet; a file that is absent adds none.
    pub(crate) fn add_file(&mut self, path: &Path) {
        self.add(dotenv::read(path));
    }

    fn add(&mut self, file: DotenvFile) {
        self.problems.extend(file.problems);
        for (name, value) in file.variables {
            self.variables.entry(name).or_insert(Some(value));
        }
    }
}

/// Names alone: which of the values are secret is known only to the tables.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_variables_win_over_the_file_and_its_first_line_over_later_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, "REAL=file\nTWICE=first\nTWICE=second\n").unwrap();
        let mut environment = Environment::from_pairs([("REAL", "process")]);
        environment.add_file(&path);
        let set: Vec<_> = environment.set().collect();
        assert_eq!(set, [("REAL", "process"), ("TWICE", "first")]);
    }
}
