//! Couriers: one attempt at one request, over one protocol.
