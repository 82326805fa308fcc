//! What every outgoing call needs: an HTTP client that goes only where it may.
