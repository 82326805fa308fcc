//! Asks before something is destroyed.

use std::io::{BufRead, IsTerminal};

use crate::codes::Code;
use crate::failure::Failure;

/// Asks for the name again, so that no slip destroys anything. `kind` says what it is the name
/// of, and `verb` what is about to happen.
///
/// # Errors
/// [`Code::ConfirmationMissing`] when another name is given, or nobody can be asked.
pub(super) fn confirm(verb: &str, kind: &str, name: &str) -> Result<(), Failure> {
    confirm_loss("messages", verb, &format!("{kind}'s name"), name)
}

/// As [`confirm`], where something else is lost than messages, and `asked` is to be typed.
///
/// # Errors
/// As [`confirm`].
pub(super) fn confirm_loss(lost: &str, verb: &str, asked: &str, name: &str) -> Result<(), Failure> {
    let refuse = |message: String| {
        Failure::new(Code::ConfirmationMissing, message, "give --yes to do it unasked")
    };
    if !std::io::stdin().is_terminal() {
        return Err(refuse(format!("{verb} gives {lost} up, and nobody can be asked")));
    }
    eprint!("This gives {lost} up. Type the {asked}, {name}, to {verb}: ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && parts(&answer).eq(parts(name)) {
        return Ok(());
    }
    Err(refuse(format!("that is not \"{name}\"; nothing was done")))
}

/// What is typed, whether spaces or commas part it.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\n', '\r']).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::parts;

    fn check(answer: &str, name: &str, expected: bool) {
        assert_eq!(parts(answer).eq(parts(name)), expected, "{answer:?}");
    }

    #[test]
    fn several_names_may_be_parted_as_one_likes() {
        check("34,33\n", "34,33", true);
        check("34 33\n", "34,33", true);
        check("34, 33", "34,33", true);
        check("33,34", "34,33", false);
        check("y\n", "34,33", false);
        check("\n", "orders", false);
        check("orders\r\n", "orders", true);
    }
}
