//! What can go wrong in the database, and what to do about it.

use std::str::FromStr;

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
    /// The server gave up after its time limit: try again with less at once.
    TooSlow,
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

    /// Whether a row was there already.
    pub(crate) fn is_unique_violation(&self) -> bool {
        let Self::Statement { source, .. } = self else {
            return false;
        };
        let error = source.as_database_error();
        error.is_some_and(sqlx::error::DatabaseError::is_unique_violation)
    }

    /// The code that the database gave for it, if it was the database that did.
    #[must_use]
    pub fn sqlstate(&self) -> Option<String> {
        let (Self::Connect { source, .. } | Self::Statement { source, .. }) = self else {
            return None;
        };
        let code = source.as_database_error()?.code()?;
        Some(code.into_owned())
    }

    /// What to do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            // Whatever else it says, there is no connection to try it on.
            Self::Connect { source, .. } => match class_of(source) {
                ErrorClass::Setup => ErrorClass::Setup,
                _ => ErrorClass::Reconnect,
            },
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
        sqlx::Error::Configuration(_) => ErrorClass::Setup,
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::InvalidArgument(_)
        | sqlx::Error::RowNotFound
        | sqlx::Error::TypeNotFound { .. } => ErrorClass::Bug,
        _ => ErrorClass::Reconnect,
    }
}

/// Sorts by SQLSTATE (PostgreSQL documentation, appendix A). A check violation without the name of
/// a constraint is PostgreSQL's way to say that no partition takes the row.
fn class_of_sqlstate(code: &str, names_constraint: bool) -> ErrorClass {
    match code {
        "23514" if !names_constraint => ErrorClass::MissingPartition,
        "55P03" | "53100" | "53200" | "53400" => ErrorClass::Retry,
        "57014" => ErrorClass::TooSlow,
        // A standby that was the primary, a session that a timeout or a pooler has spoilt, and a
        // plan that was made before the schema changed.
        "25006" | "25P02" | "25P03" | "25P04" | "26000" | "42P05" | "0A000" => {
            ErrorClass::Reconnect
        }
        // Tables, columns, types, functions, rights, database, schema that should be there.
        "42P01" | "42703" | "42704" | "42883" | "42501" | "3D000" | "3F000" => ErrorClass::Setup,
        _ => class_of_sqlstate_class(code.get(..2).unwrap_or_default()),
    }
}

/// The first two characters of a SQLSTATE are its class.
fn class_of_sqlstate_class(class: &str) -> ErrorClass {
    match class {
        "22" | "23" | "54" => ErrorClass::Poison,
        "08" | "53" | "57" | "58" | "XX" => ErrorClass::Reconnect,
        // The transaction was rolled back, for whatever reason.
        "40" => ErrorClass::Retry,
        "28" => ErrorClass::Setup,
        _ => ErrorClass::Bug,
    }
}

/// Reads a value of a closed list; the enum types of the tables have the same lists.
pub(crate) fn parsed<T: FromStr>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| {
        StoreError::Value(format!(
            "the table of checks says {text:?}, which this program does not know"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each SQLSTATE (with `!` when a constraint is named) calls for `class`.
    fn check(class: ErrorClass, codes: &str) {
        for code in codes.split_whitespace() {
            let found = class_of_sqlstate(code.trim_end_matches('!'), code.ends_with('!'));
            assert_eq!(found, class, "{code}");
        }
    }

    #[test]
    fn every_sqlstate_calls_for_the_right_thing() {
        check(
            ErrorClass::Reconnect,
            "08000 08001 08003 08004 08006 08P01 57P01 57P02 57P03 57P05 53300 25006 25P02 25P03 \
             25P04 26000 42P05 0A000 XX000 XX001 58000 58030",
        );
        check(
            ErrorClass::Retry,
            "40001 40P01 40002 55P03 53100 53200 53400",
        );
        check(ErrorClass::TooSlow, "57014");
        check(ErrorClass::MissingPartition, "23514");
        check(
            ErrorClass::Setup,
            "42P01 42703 42704 42501 28000 28P01 3D000 3F000 42883",
        );
        check(
            ErrorClass::Poison,
            "22001 22003 22007 22008 22021 22P02 22P05 23502 23503! 23505! 23514! 54000",
        );
        check(ErrorClass::Bug, "21000 42601 99999");
    }

    #[test]
    fn every_error_of_the_driver_calls_for_the_right_thing() {
        use sqlx::Error;
        let io = || Error::Io(std::io::ErrorKind::ConnectionReset.into());
        let boxed = || "x".into();
        for (error, class) in [
            (io(), ErrorClass::Reconnect),
            (Error::Tls(boxed()), ErrorClass::Reconnect),
            (Error::Protocol("x".to_owned()), ErrorClass::Reconnect),
            (Error::PoolTimedOut, ErrorClass::Reconnect),
            (Error::PoolClosed, ErrorClass::Reconnect),
            (Error::BeginFailed, ErrorClass::Reconnect),
            (Error::WorkerCrashed, ErrorClass::Reconnect),
            (Error::Configuration(boxed()), ErrorClass::Setup),
            (Error::Encode(boxed()), ErrorClass::Poison),
            (Error::Decode(boxed()), ErrorClass::Bug),
            (Error::RowNotFound, ErrorClass::Bug),
            (Error::ColumnNotFound("x".to_owned()), ErrorClass::Bug),
            (
                Error::ColumnDecode {
                    index: "x".to_owned(),
                    source: boxed(),
                },
                ErrorClass::Bug,
            ),
            (
                Error::TypeNotFound {
                    type_name: "x".to_owned(),
                },
                ErrorClass::Bug,
            ),
            (Error::InvalidArgument("x".to_owned()), ErrorClass::Bug),
        ] {
            let shown = error.to_string();
            assert_eq!(StoreError::doing("x")(error).class(), class, "{shown}");
        }
    }

    #[test]
    fn without_a_connection_there_is_only_a_new_one_or_an_operator() {
        let class = |source| {
            let server = "h:5432".to_owned();
            StoreError::Connect { server, source }.class()
        };
        assert_eq!(class(sqlx::Error::PoolTimedOut), ErrorClass::Reconnect);
        assert_eq!(class(sqlx::Error::RowNotFound), ErrorClass::Reconnect);
        let unusable = sqlx::Error::Configuration("x".into());
        assert_eq!(class(unusable), ErrorClass::Setup);
    }
}
