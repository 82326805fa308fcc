//! Sessions against a real driver, as scripts.
