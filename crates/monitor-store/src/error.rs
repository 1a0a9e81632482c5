//! What can go wrong in the database, and what to do about it.

/// An error of the database or of the connection to it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be made.
    #[error("cannot connect to PostgreSQL at {server}: {source}")]
    Connect {
        /// Host and port.
        server: String,
        /// Why not.
        source: sqlx::Error,
    },
    /// A statement failed.
    #[error("{doing}: {source}")]
    Statement {
        /// What was attempted.
        doing: &'static str,
        /// The database's or the driver's error.
        source: sqlx::Error,
    },
    /// A value of ours does not fit the table.
    #[error("{0}")]
    Value(String),
}

/// What an error calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The connection or the server is in trouble: connect anew and try again.
    Reconnect,
    /// The transaction was unlucky: try again.
    Retry,
    /// The day's partition is missing: create it and try again.
    MissingPartition,
    /// Schema, rights or configuration are not as they should be: an operator has to act.
    Setup,
    /// What a row contains is refused: trying again changes nothing.
    Poison,
    /// Our own mistake.
    Bug,
}

impl StoreError {
    /// Wraps a driver error with what was attempted.
    pub(crate) fn doing(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
        move |source| Self::Statement { doing, source }
    }

    /// What to do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Connect { .. } => ErrorClass::Reconnect,
            Self::Statement { source, .. } => class_of(source),
            Self::Value(_) => ErrorClass::Poison,
        }
    }
}

fn class_of(error: &sqlx::Error) -> ErrorClass {
    match error {
        sqlx::Error::Database(error) => {
            let constraint = error.constraint().is_some_and(|name| !name.is_empty());
            error
                .code()
                .map_or(ErrorClass::Bug, |code| class_of_sqlstate(&code, constraint))
        }
        sqlx::Error::Encode(_) => ErrorClass::Poison,
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::Decode(_) => ErrorClass::Bug,
        _ => ErrorClass::Reconnect,
    }
}

/// Sorts by SQLSTATE (PostgreSQL documentation, appendix A). A check violation without the name of
/// a constraint is PostgreSQL's way to say that no partition takes the row.
fn class_of_sqlstate(code: &str, names_constraint: bool) -> ErrorClass {
    match code {
        "23514" if !names_constraint => ErrorClass::MissingPartition,
        "40001" | "40P01" | "55P03" | "57014" | "53100" | "53200" | "53400" => ErrorClass::Retry,
        "25006" | "25P02" | "25P03" | "26000" | "42P05" | "0A000" | "53300" => {
            ErrorClass::Reconnect
        }
        "42P01" | "42703" | "42501" | "42883" | "3D000" | "3F000" => ErrorClass::Setup,
        _ => class_of_sqlstate_class(code.get(..2).unwrap_or_default()),
    }
}

/// The first two characters of a SQLSTATE are its class.
fn class_of_sqlstate_class(class: &str) -> ErrorClass {
    match class {
        "22" | "23" | "54" => ErrorClass::Poison,
        "08" | "57" | "58" | "XX" => ErrorClass::Reconnect,
        "28" => ErrorClass::Setup,
        _ => ErrorClass::Bug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sqlstate_that_occurs_calls_for_the_right_thing() {
        use ErrorClass::{Bug, MissingPartition, Poison, Reconnect, Retry, Setup};
        for (codes, named, class) in [
            (
                &[
                    "08006", "57P01", "57P02", "57P03", "57P05", "53300", "25006",
                ][..],
                false,
                Reconnect,
            ),
            (
                &[
                    "25P02", "25P03", "26000", "42P05", "0A000", "XX000", "58030",
                ],
                false,
                Reconnect,
            ),
            (
                &[
                    "40001", "40P01", "55P03", "57014", "53100", "53200", "53400",
                ],
                false,
                Retry,
            ),
            (&["23514"], false, MissingPartition),
            (
                &[
                    "42P01", "42703", "42501", "28P01", "28000", "3D000", "42883",
                ],
                false,
                Setup,
            ),
            (
                &[
                    "22001", "22003", "22007", "22021", "22P02", "22P05", "54000",
                ],
                false,
                Poison,
            ),
            (&["23502", "23503", "23505", "23514"], true, Poison),
            (&["21000", "42601", "99999"], false, Bug),
        ] {
            for code in codes {
                assert_eq!(class_of_sqlstate(code, named), class, "{code}");
            }
        }
    }

    #[test]
    fn a_connection_that_breaks_calls_for_a_new_one() {
        let broken = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(
            StoreError::doing("x")(broken).class(),
            ErrorClass::Reconnect
        );
    }
}
