//! Ids for the names that nearly every row repeats.

use std::collections::{BTreeSet, HashMap};

use monitor_core::event::KeptEvent;
use sqlx::PgConnection;

use crate::copy_data::type_number;
use crate::error::StoreError;

/// The ids that the database has given out, as far as they were needed.
#[derive(Debug, Default)]
pub(super) struct Names {
    regions: HashMap<String, i16>,
    checkers: HashMap<String, i32>,
    /// Of the type `check_warning`, which a binary array has to name.
    warning_type: Option<u32>,
}

impl Names {
    /// Makes sure that every name in `events` has an id.
    ///
    /// Not in the transaction of the rows: were that rolled back, the ids would be known here and
    /// nowhere else.
    pub(super) async fn learn(
        &mut self,
        connection: &mut PgConnection,
        events: &[KeptEvent<'_>],
    ) -> Result<(), StoreError> {
        let doing = StoreError::doing;
        if self.warning_type.is_none() {
            self.warning_type = Some(type_number(connection, "check_warning").await?);
        }
        let regions = unknown(events, &self.regions, |event| event.region.as_str());
        if !regions.is_empty() {
            let found = learn_regions(connection, &regions).await;
            self.regions
                .extend(found.map_err(doing("cannot give an id to a region"))?);
        }
        let checkers = unknown(events, &self.checkers, |event| &event.checker);
        if !checkers.is_empty() {
            let found = learn_checkers(connection, &checkers).await;
            self.checkers
                .extend(found.map_err(doing("cannot give an id to a checker"))?);
        }
        Ok(())
    }

    /// For looking up many events one after the other.
    pub(super) fn lookup(&self) -> Lookup<'_> {
        Lookup {
            names: self,
            region: None,
            checker: None,
        }
    }

    /// The type `check_warning`.
    pub(super) fn warning_type(&self) -> u32 {
        self.warning_type.unwrap_or_default()
    }
}

/// Remembers the names of the event before, which are mostly those of the next one too.
pub(super) struct Lookup<'a> {
    names: &'a Names,
    region: Option<(&'a str, i16)>,
    checker: Option<(&'a str, i32)>,
}

impl Lookup<'_> {
    /// The ids of an event's region and checker.
    pub(super) fn of(&mut self, event: &KeptEvent<'_>) -> Result<(i16, i32), StoreError> {
        let region = find(&mut self.region, &self.names.regions, event.region.as_str());
        let checker = find(&mut self.checker, &self.names.checkers, &event.checker);
        region.zip(checker).ok_or_else(|| {
            StoreError::Value(format!(
                "check {} is of region {:?} and checker {:?}, which have no ids",
                event.id,
                event.region.as_str(),
                &*event.checker
            ))
        })
    }
}

fn find<'a, Id: Copy>(
    last: &mut Option<(&'a str, Id)>,
    ids: &'a HashMap<String, Id>,
    name: &str,
) -> Option<Id> {
    match last {
        Some((known, id)) if *known == name => Some(*id),
        _ => {
            let (known, id) = ids.get_key_value(name)?;
            *last = Some((known, *id));
            Some(*id)
        }
    }
}

/// The names in `events` that have no id yet, in one order for all writers.
fn unknown<'a, Id>(
    events: &'a [KeptEvent<'a>],
    ids: &HashMap<String, Id>,
    name: impl Fn(&'a KeptEvent<'a>) -> &'a str,
) -> Vec<&'a str> {
    let mut unknown = BTreeSet::new();
    let mut last = None;
    for event in events {
        let name = name(event);
        if last.replace(name) != Some(name) && !ids.contains_key(name) {
            unknown.insert(name);
        }
    }
    unknown.into_iter().collect()
}

/// Names that are there already are not inserted: every attempt would use an id up.
async fn learn_regions(
    connection: &mut PgConnection,
    names: &[&str],
) -> Result<Vec<(String, i16)>, sqlx::Error> {
    sqlx::query!(
        r#"-- names.add_regions
        INSERT INTO regions (name)
        SELECT name FROM unnest($1::TEXT[]) AS new (name)
        WHERE NOT EXISTS (SELECT FROM regions WHERE regions.name = new.name)
        ORDER BY name
        ON CONFLICT (name) DO NOTHING"#,
        names as &[&str]
    )
    .execute(&mut *connection)
    .await?;
    let found = sqlx::query!(
        r#"-- names.regions
        SELECT name, id FROM regions WHERE name = ANY ($1::TEXT[])"#,
        names as &[&str]
    )
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().map(|row| (row.name, row.id)).collect())
}

async fn learn_checkers(
    connection: &mut PgConnection,
    names: &[&str],
) -> Result<Vec<(String, i32)>, sqlx::Error> {
    sqlx::query!(
        r#"-- names.add_checkers
        INSERT INTO checkers (name)
        SELECT name FROM unnest($1::TEXT[]) AS new (name)
        WHERE NOT EXISTS (SELECT FROM checkers WHERE checkers.name = new.name)
        ORDER BY name
        ON CONFLICT (name) DO NOTHING"#,
        names as &[&str]
    )
    .execute(&mut *connection)
    .await?;
    let found = sqlx::query!(
        r#"-- names.checkers
        SELECT name, id FROM checkers WHERE name = ANY ($1::TEXT[])"#,
        names as &[&str]
    )
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().map(|row| (row.name, row.id)).collect())
}
