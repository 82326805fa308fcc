//! Message selectors.

/// A parsed selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector;
