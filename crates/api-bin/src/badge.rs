//! A small picture with a label and a value, as READMEs show them.

use std::fmt;

/// What a value means at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Green,
    Yellow,
    Red,
    Blue,
    Grey,
}

impl Colour {
    /// From three nines on all is well, below 99 % it is not.
    pub(crate) fn of_uptime(uptime: f64) -> Self {
        match uptime {
            _ if uptime >= 0.999 => Self::Green,
            _ if uptime >= 0.99 => Self::Yellow,
            _ => Self::Red,
        }
    }

    /// Dark enough for white letters (WCAG AA, 4.5 to 1).
    fn code(self) -> &'static str {
        match self {
            Self::Green => "#2a7d31",
            Self::Yellow => "#8a6100",
            Self::Red => "#b3261e",
            Self::Blue => "#1f5fa8",
            Self::Grey => "#5f6368",
        }
    }
}

/// The picture: `Display` is its SVG.
pub(crate) struct Badge {
    /// What it is about.
    pub(crate) label: String,
    /// How it is.
    pub(crate) value: String,
    /// What that means.
    pub(crate) colour: Colour,
}

/// Room on each side of a text, in pixels.
const MARGIN: usize = 6;

/// About how wide a text is in pixels, at 11 pixels of Verdana.
fn width(text: &str) -> usize {
    let tenths = |character: char| match character {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' | ' ' => 38,
        'f' | 't' | 'r' | '(' | ')' | '-' | '/' => 47,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 108,
        'A'..='Z' => 78,
        ' '..='~' => 70,
        _ => 120,
    };
    text.chars().map(tenths).sum::<usize>().div_ceil(10)
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (label, value) = (escaped(&self.label), escaped(&self.value));
        let (label_width, value_width) = (width(&self.label), width(&self.value));
        let left = label_width + 2 * MARGIN;
        let right = value_width + 2 * MARGIN;
        let whole = left + right;
        let value_begin = left + MARGIN;
        let colour = self.colour.code();
        // Both texts are as wide as they were taken to be, whatever fonts there are.
        write!(
            f,
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{label}: {value}"><title>{label}: {value}</title><clipPath id="r"><rect width="{whole}" height="20" rx="3"/></clipPath><g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3c4043"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/></g><g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"><text x="{MARGIN}" y="14" textLength="{label_width}">{label}</text><text x="{value_begin}" y="14" textLength="{value_width}">{value}</text></g></svg>"##
        )
    }
}

/// As text of XML. What XML cannot have at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !character.is_control()) {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// Never rounded up to 100 %: that would say that nothing was ever wrong.
pub(crate) fn percent(share: f64) -> String {
    let hundredths = (share * 1e4).floor() / 1e2;
    format!("{hundredths}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_percent_is_nothing_less() {
        for (share, shown) in [
            (1.0, "100%"),
            (0.999_999, "99.99%"),
            (0.5, "50%"),
            (0.0, "0%"),
        ] {
            assert_eq!(percent(share), shown);
        }
    }

    #[test]
    fn whatever_the_label_is_it_stays_a_text() {
        let label = "<script>alert(\"&\")</script>\u{1}".to_owned();
        let badge = Badge {
            label,
            value: "100%".to_owned(),
            colour: Colour::Green,
        }
        .to_string();
        assert!(
            !badge.contains("<script") && !badge.contains('\u{1}'),
            "{badge}"
        );
        assert_eq!(
            badge
                .matches("&lt;script&gt;alert(&quot;&amp;&quot;)")
                .count(),
            3
        );
    }

    #[test]
    fn colours_warn_before_it_is_late() {
        for (uptime, colour) in [
            (1.0, Colour::Green),
            (0.9989, Colour::Yellow),
            (0.98, Colour::Red),
        ] {
            assert_eq!(Colour::of_uptime(uptime), colour);
        }
    }
}
