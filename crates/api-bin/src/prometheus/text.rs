//! The text format of Prometheus: gauges, family by family.

use std::fmt::Write as _;

/// A text that grows; to write to it does not fail.
#[derive(Default)]
pub(super) struct Text {
    text: String,
    family: &'static str,
}

impl Text {
    /// Begins the samples of a gauge; one without samples is left out of no answer, so that people see
    /// what there is.
    pub(super) fn begin(&mut self, family: &'static str, help: &str) {
        self.family = family;
        write!(self.text, "# HELP {family} {help}\n# TYPE {family} gauge\n").unwrap_or_default();
    }

    /// One sample of it.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(self.family);
        for (index, (name, label)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            self.text.push_str(name);
            self.text.push_str("=\"");
            label
                .chars()
                .for_each(|character| self.push_escaped(character));
            self.text.push('"');
        }
        let end = if labels.is_empty() { " " } else { "} " };
        writeln!(self.text, "{end}{value}").unwrap_or_default();
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn push_escaped(&mut self, character: char) {
        match character {
            '\\' => self.text.push_str("\\\\"),
            '"' => self.text.push_str("\\\""),
            '\n' => self.text.push_str("\\n"),
            other => self.text.push(other),
        }
    }
}
