//! Writing to standard output.

use std::io::{ErrorKind, Write as _};

use anyhow::Context as _;

/// Writes `text` and a line end. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: impl AsRef<str>) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{}", text.as_ref()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Rows as columns of equal width, under a heading.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heading.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let body = rows
        .iter()
        .map(|row| line(row.each_ref().map(String::as_str)));
    std::iter::once(line(heading))
        .chain(body)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            ["1".to_owned(), "café".to_owned()],
            ["1234".to_owned(), "x".to_owned()],
        ];
        assert_eq!(
            table(["ID", "NAME"], &rows),
            "ID    NAME\n1     café\n1234  x"
        );
    }
}
