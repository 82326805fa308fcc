//! Every bound of the core in one place, each with its unit in its name.
//!
//! A bound is checked before anything is allocated or computed for the input it bounds, so that
//! no client can make a node work or grow without end.

/// The longest selector text, in bytes.
pub const SELECTOR_TEXT_BYTES_MAX: usize = 4_096;

/// The most conditions, operators, names and literals that one selector may have.
pub const SELECTOR_NODES_MAX: usize = 512;

/// How many levels deep parentheses, prefix operators and the resulting tree may go.
pub const SELECTOR_DEPTH_LEVELS_MAX: usize = 32;

/// The work that one selector may spend on one message. Evaluating a node is a step, and so are
/// comparing a character with a LIKE pattern and comparing 64 bytes of two strings.
pub const SELECTOR_STEPS_MAX: u32 = 10_000;

/// The longest string that is tried as a number in [`Strings::Convert`], in bytes.
///
/// [`Strings::Convert`]: crate::selector::Strings::Convert
pub const SELECTOR_NUMBER_BYTES_MAX: usize = 64;
