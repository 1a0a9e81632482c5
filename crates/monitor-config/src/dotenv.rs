//! The file `.env`.

use std::cell::Cell;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::Problem;

/// What a `.env` file says.
#[derive(Debug, Default)]
pub(crate) struct DotenvFile {
    /// In the order of the file; the first of several with one name counts.
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads a file of `NAME=value` lines. A file that does not exist is an empty one.
pub(crate) fn read(path: &Path) -> DotenvFile {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, &path.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => DotenvFile::default(),
        Err(error) => DotenvFile {
            variables: Vec::new(),
            problems: vec![Problem::dotenv(&path.display().to_string(), error)],
        },
    }
}

/// Reads the text of a file that is called `name` in messages.
pub(crate) fn parse(text: &str, name: &str) -> DotenvFile {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines_read = Cell::new(0);
    let reader = LineReader {
        rest: text.as_bytes(),
        lines_read: &lines_read,
    };
    let mut file = DotenvFile::default();
    for item in dotenvy::from_read_iter(reader) {
        match item {
            Ok(pair) => file.variables.push(pair),
            Err(dotenvy::Error::LineParse(statement, _)) => {
                let line = first_line(&statement, lines_read.get());
                file.problems.push(not_an_assignment(name, line));
            }
            Err(error) => file.problems.push(Problem::dotenv(name, error)),
        }
    }
    file
}

/// The line itself is not repeated: it may hold a password.
fn not_an_assignment(name: &str, line: usize) -> Problem {
    let place = format!("{name} line {line}");
    Problem::dotenv(
        &place,
        "not NAME=value (a value with spaces or quotes needs quotes around it)",
    )
}

/// The number of the line on which a statement that ends on line `last` begins.
fn first_line(statement: &str, last: usize) -> usize {
    last + 1 - statement.lines().count().clamp(1, last.max(1))
}

/// Hands out at most one line at a time, so that the number of lines handed out is the number of
/// the line at which the parser stands. dotenvy does not tell.
struct LineReader<'a> {
    rest: &'a [u8],
    lines_read: &'a Cell<usize>,
}

impl Read for LineReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line_end = self
            .rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|at| at + 1);
        let length = line_end.unwrap_or(self.rest.len()).min(buffer.len());
        let (head, rest) = self.rest.split_at(length);
        buffer[..length].copy_from_slice(head);
        self.rest = rest;
        let line_complete = head.ends_with(b"\n") || (rest.is_empty() && !head.is_empty());
        if line_complete {
            self.lines_read.set(self.lines_read.get() + 1);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        parse(text, ".env")
            .problems
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn assignments_comments_and_quotes_are_read() {
        let file = parse(
            "\u{feff}# comment\n\nexport A=1\nB='two words' # why\nC=\n",
            ".env",
        );
        let pairs: Vec<_> = file
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, [("A", "1"), ("B", "two words"), ("C", "")]);
        assert!(file.problems.is_empty());
    }

    #[test]
    fn every_malformed_line_is_named_by_its_number_and_not_repeated() {
        let found = problems("# comment\nA=1\n\nhunter2 word\nB=2\nC=two words\nhunter2 word");
        assert_eq!(found.len(), 3, "{found:?}");
        for (problem, place) in found
            .iter()
            .zip([".env line 4:", ".env line 6:", ".env line 7:"])
        {
            assert!(problem.starts_with(place), "{problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn a_quote_that_never_closes_is_reported_where_it_opens() {
        let found = problems("A=1\nB=\"never closed\nC=3\nD=4\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(".env line 2:"), "{}", found[0]);
    }

    #[test]
    fn a_file_that_does_not_exist_is_empty() {
        let file = read(Path::new("no/such/.env"));
        assert!(file.variables.is_empty() && file.problems.is_empty());
    }
}
