//! The states of requests in words.

use axum::http::StatusCode;

use crate::admin::problem::Problem;
use crate::codes::Code;

/// Every state, by its number.
const WORDS: [&str; 8] =
    ["ready", "sending", "blocked", "done", "failed", "expired", "rejected", "cancelled"];

/// Those before are open.
pub(super) const FINISHED: u8 = 3;
/// The state of requests that are marked as being sent.
pub(super) const SENDING: u8 = 1;

/// Given up until somebody decides.
pub(super) const BLOCKED: u8 = 2;

/// The word for a state.
pub(super) fn word(state: u8) -> &'static str {
    WORDS.get(usize::from(state)).copied().unwrap_or("unknown")
}

/// Reads states parted by commas; `open` stands for all that are not finished.
///
/// # Errors
/// 400 for a word that is none.
pub(super) fn read(text: &str) -> Result<Vec<u8>, Problem> {
    let mut states = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if name == "open" {
            states.extend(0..FINISHED);
            continue;
        }
        let number = WORDS.iter().position(|word| *word == name);
        let number = number.and_then(|number| u8::try_from(number).ok());
        states.push(number.ok_or_else(|| unknown(name))?);
    }
    Ok(states)
}

fn unknown(name: &str) -> Problem {
    let detail = format!("\"{name}\" is no state; there are open, {}", WORDS.join(", "));
    Problem::new(StatusCode::BAD_REQUEST, Code::RequestInvalid, detail)
}

#[cfg(test)]
mod tests {
    use super::{read, word};

    fn check(text: &str, expected: Option<&[u8]>) {
        assert_eq!(read(text).ok().as_deref(), expected, "{text:?}");
    }

    #[test]
    fn states_have_words() {
        check("", Some(&[]));
        check("open", Some(&[0, 1, 2]));
        check("blocked, failed", Some(&[2, 4]));
        check("cancelled", Some(&[7]));
        check("Done", None);
        assert_eq!((word(0), word(7), word(8)), ("ready", "cancelled", "unknown"));
    }
}
