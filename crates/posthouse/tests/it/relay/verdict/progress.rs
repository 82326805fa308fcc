//! Soon after the last fault everything moves: no business id, and no request without one, waits
//! longer than it may.

use std::collections::BTreeMap;

use super::Index;
use crate::relay::config::LEASE_MS;

/// How long nothing may happen after the last fault, in microseconds.
const PATIENCE_US: i64 = (LEASE_MS + 10_000) * 1_000;

/// See the module.
pub(super) fn check(index: &Index<'_>) -> Vec<String> {
    let healed_us = index.history.healed_us;
    let mut waits: BTreeMap<String, i64> = BTreeMap::new();
    for row in &index.history.rows {
        let done_us = row.done_ms.map(|ms| ms * 1_000);
        let Some(done_us) = done_us.filter(|done_us| *done_us > healed_us) else { continue };
        let calls = index.of(row.id).iter().map(|call| call.began_us);
        let moved = calls.filter(|began_us| *began_us > healed_us).chain([done_us]).min();
        let name = row.key.clone().unwrap_or_else(|| row.request_id.clone());
        let wait_us = moved.unwrap_or(done_us) - healed_us;
        let wait = waits.entry(name).or_insert(wait_us);
        *wait = wait_us.min(*wait);
    }
    let slow = waits.into_iter().filter(|(_, wait_us)| *wait_us > PATIENCE_US);
    slow.map(|(name, wait_us)| format!("{name} stood still for {} ms", wait_us / 1_000)).collect()
}
