//! Reads sections one after the other and keeps what is wrong with all of them.

use serde::de::DeserializeOwned;

use crate::environment::Value;
use crate::shape::Shape;
use crate::{Environment, Fallback, Problem, Section, Variable, unknown};

/// Reads sections from an environment and collects their problems.
#[derive(Debug)]
pub struct Loader<'a> {
    environment: &'a Environment,
    known: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(environment: &'a Environment, known: Vec<&'static str>) -> Self {
        Self {
            environment,
            known,
            problems: Vec::new(),
        }
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Reads one section, or notes everything that keeps it from being read.
    pub(crate) fn section<S: Section>(&mut self) -> Option<S> {
        let before = self.problems.len();
        let pairs = S::VARIABLES
            .iter()
            .filter_map(|variable| self.pair::<S>(variable))
            .collect();
        if self.problems.len() > before {
            return None;
        }
        match deserialize::<S>(S::PREFIX, pairs) {
            Ok(section) => {
                self.problems.extend(section.validate());
                Some(section)
            }
            Err(error) => {
                self.problems.push(Problem::new(S::PREFIX, error));
                None
            }
        }
    }

    /// The variable and the value to read it from, when it has one that is well formed.
    fn pair<S: Section>(&mut self, variable: &Variable) -> Option<(String, String)> {
        let value = match self.environment.value(variable.name) {
            Value::Text(text) => text,
            Value::NotUnicode => {
                self.problems
                    .push(Problem::new(variable.name, "the value is not valid UTF-8"));
                return None;
            }
            Value::Unset => match variable.fallback {
                Fallback::Default(default) => default,
                Fallback::Optional => return None,
                Fallback::Required => {
                    let misspelt = unknown::misspelling_of(variable, self.environment, &self.known);
                    self.problems.push(Problem::missing(variable, misspelt));
                    return None;
                }
            },
        };
        if let Err(reason) = try_alone::<S>(variable, value) {
            self.problems
                .push(Problem::malformed(variable, value, &reason));
            return None;
        }
        Some((variable.name.to_owned(), value.to_owned()))
    }
}

/// Whether a value fits its field, found by giving envy this variable and nothing else: that
/// another field is missing then means that this one was read.
///
/// The reason never contains the value of a secret.
pub(crate) fn try_alone<S: Section>(variable: &Variable, value: &str) -> Result<(), String> {
    let pair = (variable.name.to_owned(), value.to_owned());
    let message = match deserialize::<S>(S::PREFIX, vec![pair]) {
        Ok(_) | Err(envy::Error::MissingValue(_)) => return Ok(()),
        Err(envy::Error::Custom(message)) => message,
    };
    let shape = Shape::of::<S>(&field_name::<S>(variable));
    Err(match shape.expected(value) {
        Some(expected) => expected,
        None if variable.secret => "malformed (the value is a secret and not shown)".to_owned(),
        None => message,
    })
}

/// The field that a variable fills.
pub(crate) fn field_name<S: Section>(variable: &Variable) -> String {
    variable
        .name
        .strip_prefix(S::PREFIX)
        .unwrap_or(variable.name)
        .to_lowercase()
}

fn deserialize<S: DeserializeOwned>(
    prefix: &str,
    pairs: Vec<(String, String)>,
) -> Result<S, envy::Error> {
    match prefix {
        "" => envy::from_iter(pairs),
        prefix => envy::prefixed(prefix).from_iter(pairs),
    }
}
