//! The site file, whose problems are told with its name.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use monitor_core::SiteConfig;
use monitor_site_file::{NotASiteFile, SiteFile, SiteProblem};

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
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
    Ok(parse(&file.to_string(), &text)?)
}

fn parse(file: &str, text: &str) -> Result<Vec<SiteConfig>, InvalidFile> {
    let invalid = |problems| InvalidFile {
        file: file.to_owned(),
        problems,
    };
    let unreadable = |NotASiteFile { place, message }| {
        invalid(vec![format!("{file}:{}: {message}", place.line)])
    };
    let told = |SiteProblem { place, problem, .. }| format!("{file}:{}: {problem}", place.line);
    let sites = SiteFile::parse(text).map_err(unreadable)?;
    let sites = sites.sites(|_| Vec::new());
    sites.map_err(|problems| invalid(problems.into_iter().map(told).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_told_with_the_file_its_line_and_field() {
        for (text, expected) in [
            (
                "sites:\n- url: https://a.example/x\n- url: https://a.example/y\n- name: C\n",
                "2 problems in sites.yaml; nothing was imported\n\
                 sites.yaml:3: name: \"a.example\" is already the name of the site in line 2\n\
                 sites.yaml:4: url: missing",
            ),
            (
                "",
                "1 problem in sites.yaml; nothing was imported\n\
                 sites.yaml:1: unexpected end of input",
            ),
        ] {
            let invalid = parse("sites.yaml", text).unwrap_err();
            assert_eq!(invalid.to_string(), expected);
        }
    }
}
