//! Whether the struct and the table of a section agree, and the template with both: one line in a
//! test of each section, and of each program.

use std::collections::BTreeSet;

use crate::loader::{field_name, try_alone};
use crate::{Environment, Section, Sections, Variable, shape, tables, template};

/// Everything on which the struct and the table of `S` disagree; empty when all is well.
///
/// Finds variables without a field and fields without a variable, names that lack the prefix, and
/// defaults or examples that the field refuses.
#[must_use]
pub fn table_mistakes<S: Section>() -> Vec<String> {
    let fields: BTreeSet<&str> = shape::fields::<S>().iter().copied().collect();
    let filled: BTreeSet<String> = S::VARIABLES.iter().map(field_name::<S>).collect();
    let mut mistakes: Vec<String> = S::VARIABLES
        .iter()
        .flat_map(variable_mistakes::<S>)
        .collect();
    for variable in S::VARIABLES {
        if !fields.contains(field_name::<S>(variable).as_str()) {
            mistakes.push(format!("{} fills no field", variable.name));
        }
    }
    for field in fields.iter().filter(|field| !filled.contains(**field)) {
        mistakes.push(format!("the field {field} has no variable"));
    }
    mistakes
}

fn variable_mistakes<S: Section>(variable: &Variable) -> Vec<String> {
    let name = variable.name;
    let mut mistakes = Vec::new();
    if !name.starts_with(S::PREFIX) {
        mistakes.push(format!("{name} does not begin with {}", S::PREFIX));
    }
    if variable.help.is_empty() || variable.help.contains('\n') {
        mistakes.push(format!("the help of {name} is not one line"));
    }
    let values = [
        ("default", variable.default()),
        ("example", variable.example),
    ];
    for (kind, value) in values
        .into_iter()
        .filter_map(|(kind, value)| Some((kind, value?)))
    {
        if let Err(reason) = try_alone::<S>(variable, value) {
            mistakes.push(format!("the {kind} of {name} is refused: {reason}"));
        }
    }
    mistakes
}

/// Everything on which a `.env.template` and the sections of a program disagree; empty when all is
/// well.
///
/// Finds variables that the template lacks or explains in other words, and whatever keeps the
/// template from being a configuration of the program. What other programs read may stand there too.
#[must_use]
pub fn template_mistakes<S: Sections>(text: &str) -> Vec<String> {
    let expected = template(&tables::<S>());
    let missing = expected
        .split("\n\n")
        .filter(|paragraph| !text.contains(paragraph.trim_end()));
    let mut mistakes: Vec<String> = missing
        .map(|paragraph| format!("the template lacks:\n{paragraph}"))
        .collect();
    let loaded = Environment::from_dotenv(text).load::<S>();
    mistakes.extend(loaded.err().map(|error| error.to_string()));
    mistakes
}
