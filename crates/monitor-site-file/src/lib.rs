//! The site file: YAML or JSON, which is YAML too. Every problem is told with its place and field.
//!
//! ```
//! use monitor_site_file::SiteFile;
//!
//! let file = SiteFile::parse("sites:\n  - url: https://example.com/\n    interval: often\n")?;
//! let problems = file.sites(|_| Vec::new()).unwrap_err();
//! assert_eq!((problems[0].place.line, &*problems[0].problem.field), (3, "interval"));
//! # Ok::<(), monitor_site_file::NotASiteFile>(())
//! ```

mod document;
mod problem;

use std::collections::HashMap;

use monitor_core::SiteConfig;
use monitor_core::site::FieldProblem;
use serde_json::{Map, Value};

use self::document::{Document, Entry};
pub use self::problem::{NotASiteFile, Place, SiteProblem};

/// A site file as it was written. What it says of the sites need not be valid.
#[derive(Debug)]
pub struct SiteFile(Vec<Entry>);

impl SiteFile {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, NotASiteFile> {
        let document: Document = serde_saphyr::from_str_with_options(text, document::limits())
            .map_err(|error| NotASiteFile::of(&error))?;
        let entries = document.sites.into_iter().map(Entry::of);
        Ok(Self(entries.collect()))
    }

    /// The sites, or everything that is wrong with them. `also` says what is wrong with the fields of a
    /// site besides what is wrong with them everywhere.
    pub fn sites(
        &self,
        also: impl Fn(&Map<String, Value>) -> Vec<FieldProblem>,
    ) -> Result<Vec<SiteConfig>, Vec<SiteProblem>> {
        let (mut sites, mut problems) = (Vec::with_capacity(self.0.len()), Vec::new());
        let mut lines_of_names = HashMap::new();
        for (index, entry) in self.0.iter().enumerate() {
            let mut found = also(&entry.fields);
            match SiteConfig::from_json(&entry.fields) {
                Ok(site) => {
                    let line = entry.place.line;
                    if let Some(first) = lines_of_names.insert(site.name.clone(), line) {
                        found.push(name_taken(&site.name, first));
                    }
                    sites.push(site);
                }
                Err(invalid) => found.extend(invalid),
            }
            problems.extend(found.into_iter().map(|problem| entry.tell(index, problem)));
        }
        if problems.is_empty() {
            Ok(sites)
        } else {
            Err(problems)
        }
    }
}

fn name_taken(name: &str, first: u64) -> FieldProblem {
    FieldProblem {
        field: "name".to_owned(),
        message: format!("{name:?} is already the name of the site in line {first}"),
    }
}

#[cfg(test)]
mod tests;
