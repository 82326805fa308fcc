//! Text of others, made fit to be shown.

use posthouse_pump::limits::ERROR_CHARS_MAX;

use super::limits::EXCERPT_CHARS_MAX;

/// The beginning of a body in one line of printable characters; empty if there are none.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut shown = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        for character in word.chars().filter(|c| is_printable(*c)) {
            if count >= EXCERPT_CHARS_MAX {
                return shown;
            }
            shown.push(character);
            count += 1;
        }
        if count < EXCERPT_CHARS_MAX && !shown.ends_with(' ') {
            shown.push(' ');
            count += 1;
        }
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// Marks that turn the direction of text or join words invisibly could make a message lie.
fn is_printable(character: char) -> bool {
    let is_mark = matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    !character.is_control() && !is_mark && character != char::REPLACEMENT_CHARACTER
}

/// A detail no longer than what is kept with a request.
pub(crate) fn detail(text: &str) -> String {
    text.chars().filter(|c| is_printable(*c)).take(ERROR_CHARS_MAX).collect()
}
