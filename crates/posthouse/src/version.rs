//! What this program calls itself.

/// The version, as users see it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
