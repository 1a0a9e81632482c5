//! The site file: YAML or JSON, which is YAML too. Every problem is told with file, line and field.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use monitor_core::SiteConfig;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// All that is wrong with a site file.
#[derive(Debug, thiserror::Error)]
#[error("{} in {file}; nothing was imported\n{}", count(problems), problems.join("\n"))]
pub(crate) struct InvalidFile {
    file: String,
    problems: Vec<String>,
}

fn count(problems: &[String]) -> String {
    match problems.len() {
        1 => "1 problem".to_owned(),
        several => format!("{several} problems"),
    }
}

/// Reads the sites of a file, or says everything that is wrong with it.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<SiteConfig>> {
    let file = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
    Ok(parse(&file.to_string(), &text)?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    sites: Vec<Spanned<Entry>>,
}

/// One site as written: its fields, in order, with the lines of their values.
struct Entry(Vec<(String, Spanned<Value>)>);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a site: a mapping with at least a url")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Entry(fields))
    }
}

fn parse(file: &str, text: &str) -> Result<Vec<SiteConfig>, InvalidFile> {
    let invalid = |problems| InvalidFile {
        file: file.to_owned(),
        problems,
    };
    let document: Document = serde_saphyr::from_str_with_options(text, limits())
        .map_err(|error| invalid(vec![format!("{file}:{}", syntax_problem(&error))]))?;
    let (mut sites, mut problems) = (Vec::new(), Vec::new());
    let mut lines_of_names = HashMap::new();
    for entry in document.sites {
        let line = entry.referenced.line();
        match site(&entry.value, line) {
            Ok(site) => {
                if let Some(first) = lines_of_names.insert(site.name.clone(), line) {
                    let name = &site.name;
                    problems.push(format!(
                        "{file}:{line}: name: {name:?} is already the name of the site in line {first}"
                    ));
                }
                sites.push(site);
            }
            Err(found) => {
                problems.extend(found.into_iter().map(|problem| format!("{file}:{problem}")));
            }
        }
    }
    if problems.is_empty() {
        Ok(sites)
    } else {
        Err(invalid(problems))
    }
}

/// Enough for a million sites of a few fields. What makes a small file expand into a large one stays
/// limited as it is.
fn limits() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: 20_000_000,
            max_events: 40_000_000,
            max_total_scalar_bytes: 1 << 30,
        },
    }
}

/// The error's place and first line; what follows there is a drawing of the file.
fn syntax_problem(error: &serde_saphyr::Error) -> String {
    let line = error.location().map_or(1, |location| location.line());
    let text = error.without_snippet().to_string();
    format!("{line}: {}", text.lines().next().unwrap_or_default())
}

fn site(entry: &Entry, line: u64) -> Result<SiteConfig, Vec<String>> {
    let fields: Map<String, Value> = entry
        .0
        .iter()
        .map(|(field, value)| (field.clone(), value.value.clone()))
        .collect();
    let line_of = |field: &str| {
        let written = entry.0.iter().find(|(name, _)| name == field);
        written.map_or(line, |(_, value)| value.referenced.line())
    };
    SiteConfig::from_json(&fields).map_err(|problems| {
        problems
            .iter()
            .map(|problem| format!("{}: {problem}", line_of(&problem.field)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        parse("sites.yaml", text).unwrap_err().problems
    }

    #[test]
    fn yaml_and_json_say_the_same() {
        let yaml = "sites:\n  - url: https://a.example/\n    http_version: 1.1\n  \
                    - name: B\n    url: https://b.example/\n    interval: 30s\n";
        let json = r#"{"sites": [{"url": "https://a.example/", "http_version": "1.1"},
                       {"name": "B", "url": "https://b.example/", "interval": "30s"}]}"#;
        let sites = parse("sites.yaml", yaml).unwrap();
        assert_eq!(sites.len(), 2);
        assert_eq!(sites, parse("sites.json", json).unwrap());
    }

    #[test]
    fn every_problem_is_told_with_its_line_and_field() {
        let found = problems(
            "sites:\n  - url: example.com\n    interval: 1\n  - url: https://a.example/\n    \
             content_regex: \"(\"\n    headers:\n      \"bad name\": x\n  - name: C\n",
        );
        for (index, start) in [
            "sites.yaml:2: url: not a URL",
            "sites.yaml:3: interval: ",
            "sites.yaml:7: headers: ",
            "sites.yaml:5: content_regex: ",
            "sites.yaml:8: url: missing",
        ]
        .iter()
        .enumerate()
        {
            assert!(found[index].starts_with(start), "{start}: {found:#?}");
        }
    }

    #[test]
    fn a_name_that_is_given_twice_names_both_lines() {
        let found = problems("sites:\n- url: https://a.example/x\n- url: https://a.example/y\n");
        assert_eq!(
            found,
            ["sites.yaml:3: name: \"a.example\" is already the name of the site in line 2"]
        );
    }

    #[test]
    fn a_field_that_is_given_twice_is_told() {
        let found = problems("sites:\n- url: https://a.example/\n  url: https://b.example/\n");
        assert!(
            found[0].starts_with("sites.yaml:3:") && found[0].contains("url"),
            "{found:?}"
        );
    }

    #[test]
    fn files_that_are_no_site_files_are_told_with_a_line() {
        for (text, named) in [
            ("", "sites"),
            ("sites: 7", "sites.yaml:1:"),
            ("sites:\n- 7\n", "sites.yaml:2:"),
            ("sites: []\nsights: []\n", "sites.yaml:2:"),
            ("sites: [", "sites.yaml:1:"),
            ("\u{0}", "sites.yaml:1:"),
        ] {
            let found = problems(text);
            assert!(found[0].contains(named), "{text:?}: {found:?}");
        }
    }
}
