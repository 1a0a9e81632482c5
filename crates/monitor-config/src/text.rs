//! The tables as text: for `--help` and for `.env.template`.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::{Fallback, Variable};

/// An aligned listing of every variable, for the end of `--help`.
#[must_use]
pub fn help_text(tables: &[&'static [Variable]]) -> String {
    let variables = distinct(tables);
    let width = variables
        .iter()
        .map(|variable| variable.name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::from("Environment variables (also read from .env):\n");
    for variable in variables {
        let Variable {
            name,
            help,
            fallback,
            ..
        } = variable;
        let note = match fallback {
            Fallback::Required => " [required]".to_owned(),
            Fallback::Optional => String::new(),
            Fallback::Default(default) => format!(" [default: {default}]"),
        };
        push_line(&mut text, format_args!("  {name:width$}  {help}{note}"));
    }
    text
}

/// The text of `.env.template`: a paragraph for each table and, for each variable, its explanation
/// and its default. What has no default is shown with its example; optional ones are commented out.
#[must_use]
pub fn template(tables: &[&'static [Variable]]) -> String {
    let mut seen = BTreeSet::new();
    let mut paragraphs = Vec::new();
    for table in tables {
        let mut paragraph = String::new();
        for variable in table.iter().filter(|variable| seen.insert(variable.name)) {
            push_template(&mut paragraph, variable);
        }
        if !paragraph.is_empty() {
            paragraphs.push(paragraph);
        }
    }
    paragraphs.join("\n")
}

fn push_template(text: &mut String, variable: &Variable) {
    let Variable {
        name,
        help,
        fallback,
        ..
    } = variable;
    let example = quoted(variable.example.unwrap_or_default());
    push_line(text, format_args!("# {help}"));
    match fallback {
        Fallback::Required => push_line(text, format_args!("{name}={example}")),
        Fallback::Optional => push_line(text, format_args!("#{name}={example}")),
        Fallback::Default(default) => push_line(text, format_args!("{name}={}", quoted(default))),
    }
}

/// Quotes what a `.env` reader or a shell would take apart.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/@%+=[]".contains(c);
    if value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{value}'")
    }
}

fn distinct(tables: &[&'static [Variable]]) -> Vec<&'static Variable> {
    let mut seen = BTreeSet::new();
    tables
        .iter()
        .flat_map(|table| table.iter())
        .filter(|v| seen.insert(v.name))
        .collect()
}

fn push_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _infallible = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROKER: &[Variable] = &[
        Variable::required("KAFKA_BROKERS", "where the brokers are").example("localhost:9092"),
        Variable::optional("KAFKA_SSL_CA", "certificate authority").example(".keys/ca.pem"),
        Variable::optional("KAFKA_PASSWORD", "password").secret(),
    ];
    const LOGS: &[Variable] = &[Variable::with_default("LOG", "info", "what is logged")];

    #[test]
    fn help_is_aligned_and_says_what_is_required_and_what_is_default() {
        assert_eq!(
            help_text(&[BROKER, LOGS, LOGS]),
            "Environment variables (also read from .env):\n\
             \x20 KAFKA_BROKERS   where the brokers are [required]\n\
             \x20 KAFKA_SSL_CA    certificate authority\n\
             \x20 KAFKA_PASSWORD  password\n\
             \x20 LOG             what is logged [default: info]\n"
        );
    }

    #[test]
    fn template_explains_every_variable_and_comments_out_the_optional_ones() {
        assert_eq!(
            template(&[BROKER, LOGS, LOGS]),
            "# where the brokers are\nKAFKA_BROKERS=localhost:9092\n\
             # certificate authority\n#KAFKA_SSL_CA=.keys/ca.pem\n\
             # password\n#KAFKA_PASSWORD=\n\
             \n# what is logged\nLOG=info\n"
        );
    }

    #[test]
    fn values_that_a_shell_would_take_apart_are_quoted() {
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(
            quoted("postgres://u:p@h:5432/db?sslmode=require"),
            "'postgres://u:p@h:5432/db?sslmode=require'"
        );
        assert_eq!(quoted("200ms"), "200ms");
    }
}
