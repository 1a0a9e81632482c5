//! A typed group of settings, and tuples of such groups.

use serde::de::DeserializeOwned;

use crate::loader::Loader;
use crate::{Problem, Variable};

/// The settings of one concern: a struct and the table of the variables that fill it.
///
/// The field `topic` of a section with the prefix `KAFKA_` is filled from `KAFKA_TOPIC`. A section
/// whose variables share no prefix has the prefix `""` and fields named like the whole variables.
/// [`table_mistakes`](crate::table_mistakes) tells a test whether struct and table agree.
pub trait Section: DeserializeOwned {
    /// What the names of all variables begin with; may be empty.
    const PREFIX: &'static str;

    /// Variables that begin with this belong to us: one that no table knows is reported as a
    /// misspelling. When empty, nothing beyond the table is claimed. Set it where it differs from
    /// [`PREFIX`](Self::PREFIX).
    const OWNED_PREFIX: &'static str = Self::PREFIX;

    /// Every variable of the section, in the order in which people should read them.
    const VARIABLES: &'static [Variable];

    /// Checks that need more than one field. Runs only when each variable by itself is well.
    fn validate(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// One or several sections read together: a [`Section`], or a tuple of `Sections` (also nested).
pub trait Sections: Sized {
    #[doc(hidden)]
    fn collect(tables: &mut Vec<Table>);

    #[doc(hidden)]
    fn read(loader: &mut Loader<'_>) -> Option<Self>;
}

/// What is known of a section without its type.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub(crate) owned_prefix: &'static str,
    pub(crate) variables: &'static [Variable],
}

/// The tables of `S`, for [`help_text`](crate::help_text) and [`template`](crate::template).
#[must_use]
pub fn tables<S: Sections>() -> Vec<&'static [Variable]> {
    collect::<S>()
        .into_iter()
        .map(|table| table.variables)
        .collect()
}

pub(crate) fn collect<S: Sections>() -> Vec<Table> {
    let mut tables = Vec::new();
    S::collect(&mut tables);
    tables
}

impl<S: Section> Sections for S {
    fn collect(tables: &mut Vec<Table>) {
        tables.push(Table {
            owned_prefix: S::OWNED_PREFIX,
            variables: S::VARIABLES,
        });
    }

    fn read(loader: &mut Loader<'_>) -> Option<Self> {
        loader.section()
    }
}

macro_rules! sections_for_tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: Sections),*> Sections for ($($name,)*) {
            fn collect(tables: &mut Vec<Table>) {
                $($name::collect(tables);)*
            }

            // All are read before the first `?`, so that each reports its problems.
            #[expect(non_snake_case, reason = "the type parameters serve as variable names")]
            fn read(loader: &mut Loader<'_>) -> Option<Self> {
                $(let $name = $name::read(loader);)*
                Some(($($name?,)*))
            }
        }
    )*};
}

sections_for_tuples! {
    (A)
    (A B)
    (A B C)
    (A B C D)
    (A B C D E)
    (A B C D E F)
}

impl Sections for () {
    fn collect(_tables: &mut Vec<Table>) {}

    fn read(_loader: &mut Loader<'_>) -> Option<Self> {
        Some(())
    }
}
