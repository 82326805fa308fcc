//! Every bound of windows, in one place.

/// Entries of weekly sessions that one window may have.
pub(crate) const WEEKLY_ENTRIES_MAX: usize = 100;

/// Entries of dates that one window may have; a range of dates is one entry.
pub(crate) const DATE_ENTRIES_MAX: usize = 5_000;

/// Bytes that one entry, or one name, may have.
pub(crate) const ENTRY_BYTES_MAX: usize = 500;

/// Sessions that may begin on one day.
pub(crate) const SESSIONS_PER_DAY_MAX: usize = 48;

/// The longest that a session may last, in minutes.
pub(crate) const SESSION_MIN_MAX: u16 = 24 * 60;

/// Days between the beginning of a session and its trading day, at most.
pub(crate) const TRADING_DAYS_ON_MAX: u8 = 9;

/// The longest margin before a closing, in milliseconds.
pub(crate) const MARGIN_MS_MAX: u64 = 24 * 3_600_000;

/// The first year in which windows can be asked.
pub(crate) const YEAR_MIN: i16 = 1970;

/// The last year in which windows can be asked.
pub(crate) const YEAR_MAX: i16 = 2099;

/// The first instant at which windows can be asked, Unix milliseconds.
pub(crate) const INSTANT_MS_MIN: i64 = 0;

/// The instant from which windows can no longer be asked: the beginning of 2100, Unix milliseconds.
pub(crate) const INSTANT_MS_END: i64 = 4_102_444_800_000;

/// How far beyond the last irregular day a session is looked for, in days. Weekly sessions come
/// back every 7 days; a change of the clock may swallow one of them, and in the worst case known
/// (the date line) a whole day.
pub(crate) const LOOKAHEAD_DAYS: i64 = 35;

/// How far several windows are searched for a time that they share, in milliseconds: a little more
/// than a year, because windows in different zones may overlap only while one of the zones has
/// summer time.
pub(crate) const JOINT_LOOKAHEAD_MS: i64 = 400 * 86_400_000;

/// Stretches that one list of coming ones may hold.
pub(crate) const UPCOMING_MAX: usize = 1_000;
