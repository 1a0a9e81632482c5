//! The site file of the demo: the committed template with this run's ports.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Replaces each `${NAME}` of the template by the address of the target of that name.
pub(super) fn write(template: &Path, ports: &Path, output: &Path) -> Result<()> {
    let read = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let text = fill(&read(template)?, &read(ports)?)
        .with_context(|| format!("cannot use {}", template.display()))?;
    fs::write(output, text).with_context(|| format!("cannot write {}", output.display()))
}

fn fill(template: &str, ports: &str) -> Result<String> {
    let targets = ports.lines().filter_map(|line| line.split_once('='));
    let text = targets.fold(template.to_owned(), |text, (name, port)| {
        text.replace(&format!("${{{name}}}"), &format!("127.0.0.1:{port}"))
    });
    let unknown = text
        .lines()
        .find(|line| line.contains("url:") && line.contains("${"));
    if let Some(line) = unknown {
        bail!("there is no demo target for `{}`", line.trim());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_addresses() {
        let filled = fill(
            "url: http://${healthy}/ # ${healthy}\n",
            "slow=1\nhealthy=2\n",
        )
        .unwrap();
        assert_eq!(filled, "url: http://127.0.0.1:2/ # 127.0.0.1:2\n");
    }

    #[test]
    fn a_name_without_a_target_is_an_error() {
        let error = fill("  url: http://${typo}/\n", "healthy=2\n").unwrap_err();
        let expected = "there is no demo target for `url: http://${typo}/`";
        assert_eq!(error.to_string(), expected);
    }
}
