//! Foreign bytes on a terminal: nothing in them may move the cursor, change a title or hide text.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// Text with everything escaped that is not simply a character on the line.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_harmless(character) {
            safe.push(character);
        } else {
            safe.extend(character.escape_default());
        }
    }
    safe
}

/// The same of bytes; those that are no text are `\xNN`.
pub(super) fn escaped_bytes(bytes: &[u8]) -> String {
    let mut safe = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        safe.push_str(&escaped(chunk.valid()));
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            write!(safe, "\\x{byte:02x}").ok();
        }
    }
    safe
}

/// Neither a control character nor one that changes the direction or the look of its neighbours.
fn is_harmless(character: char) -> bool {
    let formats = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    );
    !character.is_control() && !formats
}

/// Text as it is; bytes that are none in hexadecimal.
pub(super) fn json(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(
        |_| {
            let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").ok();
                hex
            });
            json!({ "hex": hex })
        },
        |text| json!(text),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        assert_eq!(escaped("café — ok"), "café — ok");
        assert_eq!(escaped("\u{1b}[2J\r\n\0"), "\\u{1b}[2J\\r\\n\\u{0}");
        assert_eq!(escaped("a\u{202e}b\u{9b}c"), "a\\u{202e}b\\u{9b}c");
        assert_eq!(escaped_bytes(b"a\xff\x1bb"), "a\\xff\\u{1b}b");
    }

    #[test]
    fn json_tells_text_from_bytes() {
        assert_eq!(json(b"42"), serde_json::json!("42"));
        assert_eq!(json(b"\xff\x00"), serde_json::json!({"hex": "ff00"}));
    }
}
