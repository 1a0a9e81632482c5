//! Which status codes a site may answer with.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Codes and ranges of codes, written as `200-299` or `200,204,300-399`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRule(Vec<RangeInclusive<u16>>);

impl StatusRule {
    /// Whether `code` is expected.
    #[must_use]
    pub fn accepts(&self, code: u16) -> bool {
        self.0.iter().any(|range| range.contains(&code))
    }
}

impl Default for StatusRule {
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl FromStr for StatusRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',')
            .map(|item| range(item.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn range(item: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    let (first, last) = (code(first, item)?, code(last, item)?);
    if first > last {
        return Err(format!("{item:?} ends before it begins"));
    }
    Ok(first..=last)
}

fn code(digits: &str, item: &str) -> Result<u16, String> {
    let code = digits
        .trim()
        .parse()
        .ok()
        .filter(|code| (100..=999).contains(code));
    code.ok_or_else(|| format!("{item:?} is not a status code or a range such as 200-299"))
}

impl fmt::Display for StatusRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_ranges_are_accepted_and_printed_as_they_were_written() {
        let rule: StatusRule = "200, 204,300-399".parse().unwrap();
        assert_eq!(rule.to_string(), "200,204,300-399");
        assert!(
            [200, 204, 300, 399]
                .into_iter()
                .all(|code| rule.accepts(code))
        );
        assert!(![201, 299, 400].into_iter().any(|code| rule.accepts(code)));
    }

    #[test]
    fn what_is_no_status_code_is_refused() {
        for text in [
            "", "ok", "99", "1000", "299-200", "200-", "-200", "200..299", "2xx",
        ] {
            assert!(text.parse::<StatusRule>().is_err(), "{text:?}");
        }
    }
}
