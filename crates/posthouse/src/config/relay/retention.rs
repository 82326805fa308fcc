//! How long finished requests stay in the table of a source, and in its archive.

use posthouse_relay::source::retention::{Ages, KEPT_STATES, Retention};

use crate::config::table::TableReader;

/// What is kept for ever.
const ALWAYS: &str = "always";

/// The shortest time that a finished request stays, in milliseconds: what is known of it elsewhere
/// must have come to rest.
const KEEP_MS_MIN: u64 = 60_000;

/// The longest, in milliseconds: a hundred years.
const KEEP_MS_MAX: u64 = 36_525 * 86_400_000;

/// Reads it from the table of a source.
pub(super) fn read(reader: &mut TableReader<'_>) -> Retention {
    let mut ages = Ages::default();
    for ((state, _), age) in KEPT_STATES.iter().zip(&mut ages.0) {
        let key = format!("keep_{state}");
        *age = reader.duration_unless(&key, ALWAYS, KEEP_MS_MIN..=KEEP_MS_MAX);
    }
    let is_archived = reader.boolean("archive", false);
    let archive_ms = reader.duration_unless("keep_archive", ALWAYS, KEEP_MS_MIN..=KEEP_MS_MAX);
    let retention = Retention { ages, is_archived, archive_ms };
    if is_archived && !retention.is_on() {
        reader.refuse(
            "archive",
            "nothing would ever be moved there",
            "say how long finished requests stay in the table, such as keep_done = \"7d\"",
        );
    }
    retention
}
