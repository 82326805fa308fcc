//! A time zone as a list of stretches in which clocks run evenly.
//!
//! The list is made once, from the zone tables that come with the program, so that a node does not
//! depend on what its system has installed. After that a question is one binary search: windows are
//! asked before every start of a request.

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;

use super::limits::{INSTANT_MS_END, INSTANT_MS_MIN};

/// Far enough for every instant that is asked, and so near that sums do not overflow.
const FAR_MS: i64 = i64::MAX / 4;

/// More than any clock was ever set forward or back at once. Going over the date line is a day.
const SHIFT_MS_MAX: i64 = 2 * 86_400_000;

/// A time zone. Beyond the years that windows know, its last offset stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    name: String,
    /// Without holes, ascending; never empty.
    stretches: Vec<Stretch>,
}

/// From one change of the clock to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    /// Unix milliseconds; belongs to it.
    start_ms: i64,
    /// Unix milliseconds; does not belong to it.
    end_ms: i64,
    /// What a wall clock shows beyond UTC.
    offset_ms: i64,
}

impl Zone {
    /// The zone of a name as in the IANA tables, upper and lower case alike. `None` if there is
    /// none.
    pub(crate) fn named(name: &str) -> Option<Zone> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        let start = Timestamp::from_millisecond(INSTANT_MS_MIN).ok()?;
        let first_ms = i64::from(zone.to_offset(start).seconds()) * 1_000;
        let mut stretches =
            vec![Stretch { start_ms: -FAR_MS, end_ms: FAR_MS, offset_ms: first_ms }];
        for change in zone.following(start) {
            let at_ms = change.timestamp().as_millisecond();
            if at_ms >= INSTANT_MS_END {
                break;
            }
            extend(&mut stretches, at_ms, i64::from(change.offset().seconds()) * 1_000);
        }
        Some(Zone { name: zone.iana_name().unwrap_or(name).to_owned(), stretches })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What a wall clock shows at an instant, in milliseconds since it showed 1970-01-01 00:00.
    pub(crate) fn wall_ms(&self, at_ms: i64) -> i64 {
        at_ms + self.offset_ms(at_ms)
    }

    /// What a wall clock shows beyond UTC, in milliseconds.
    pub(crate) fn offset_ms(&self, at_ms: i64) -> i64 {
        self.stretch_at(at_ms).offset_ms
    }

    /// The zone, for questions that mostly are about times near an instant.
    pub(crate) fn near(&self, at_ms: i64) -> Clock<'_> {
        Clock { zone: self, stretch: self.stretch_at(at_ms) }
    }

    /// The first instant at which a wall clock shows `wall_ms` or more. A time that is left out
    /// begins where the clock goes on; a time that comes twice begins at the first.
    pub(crate) fn first_at(&self, wall_ms: i64) -> i64 {
        let reaches = self.stretches.partition_point(|s| s.end_ms + s.offset_ms <= wall_ms);
        let stretch = self.stretch(reaches);
        stretch.start_ms.max(wall_ms - stretch.offset_ms)
    }

    /// The instant from which a wall clock never again shows less than `wall_ms`. A time that is
    /// left out ends where the clock goes on; a time that comes twice ends at the second.
    pub(crate) fn last_at(&self, wall_ms: i64) -> i64 {
        let beyond = self.stretches.partition_point(|s| s.start_ms + s.offset_ms < wall_ms);
        let stretch = self.stretch(beyond.saturating_sub(1));
        stretch.end_ms.min(wall_ms - stretch.offset_ms)
    }

    fn stretch_at(&self, at_ms: i64) -> Stretch {
        self.stretch(self.stretches.partition_point(|s| s.end_ms <= at_ms))
    }

    fn stretch(&self, index: usize) -> Stretch {
        const UTC: Stretch = Stretch { start_ms: -FAR_MS, end_ms: FAR_MS, offset_ms: 0 };
        self.stretches.get(index).copied().unwrap_or(UTC)
    }
}

/// A zone, and the stretch in which the times that are asked of it mostly lie. Those need no
/// search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock<'a> {
    zone: &'a Zone,
    stretch: Stretch,
}

impl Clock<'_> {
    /// What the clock shows, as [`Zone::wall_ms`].
    pub(crate) fn wall_ms(self, at_ms: i64) -> i64 {
        at_ms + self.stretch.offset_ms
    }

    /// As [`Zone::first_at`].
    pub(crate) fn first_at(self, wall_ms: i64) -> i64 {
        self.even(wall_ms).unwrap_or_else(|| self.zone.first_at(wall_ms))
    }

    /// As [`Zone::last_at`].
    pub(crate) fn last_at(self, wall_ms: i64) -> i64 {
        self.even(wall_ms).unwrap_or_else(|| self.zone.last_at(wall_ms))
    }

    /// The instant at which the clock shows `wall_ms`, if that is so deep in the stretch that no
    /// change of the clock is near: then it is the only one.
    fn even(self, wall_ms: i64) -> Option<i64> {
        let at_ms = wall_ms - self.stretch.offset_ms;
        let is_deep = self.stretch.start_ms + SHIFT_MS_MAX <= at_ms
            && at_ms < self.stretch.end_ms - SHIFT_MS_MAX;
        is_deep.then_some(at_ms)
    }
}

/// Ends the last stretch at a change of the clock. Changes of the zone's abbreviation alone are
/// none.
fn extend(stretches: &mut Vec<Stretch>, at_ms: i64, offset_ms: i64) {
    if let Some(last) = stretches.last_mut()
        && last.offset_ms != offset_ms
    {
        last.end_ms = at_ms;
        stretches.push(Stretch { start_ms: at_ms, end_ms: FAR_MS, offset_ms });
    }
}

/// A zone that somebody may have meant who wrote `name`: one that is called after the same place.
pub(crate) fn similar_name(name: &str) -> Option<String> {
    let wanted = place(name);
    let database = TimeZoneDatabase::bundled();
    let mut names = database.available().map(|known| known.as_str().to_owned());
    names.find(|known| place(known) == wanted)
}

/// The last part of a zone's name, in one way of writing.
fn place(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.trim().to_ascii_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the searches by wall clock rely on, in every zone there is: what the clock shows at the
    /// ends of stretches ascends, and no change is larger than thought.
    #[test]
    fn zones_are_as_the_searches_need_them() {
        for name in TimeZoneDatabase::bundled().available() {
            let zone = Zone::named(name.as_str()).unwrap();
            let ends: Vec<i64> = zone.stretches.iter().map(|s| s.end_ms + s.offset_ms).collect();
            let starts: Vec<i64> =
                zone.stretches.iter().map(|s| s.start_ms + s.offset_ms).collect();
            assert!(ends.is_sorted() && starts.is_sorted(), "{}", zone.name());
            let mut pairs = zone.stretches.windows(2);
            let is_bounded =
                |a: &Stretch, b: &Stretch| (a.offset_ms - b.offset_ms).abs() < SHIFT_MS_MAX;
            assert!(pairs.all(|pair| is_bounded(&pair[0], &pair[1])), "{}", zone.name());
        }
    }

    #[test]
    fn a_place_is_enough_for_advice() {
        let check = |input: &str, expected: Option<&str>| {
            assert_eq!(similar_name(input).as_deref(), expected);
        };
        check("Shanghai", Some("Asia/Shanghai"));
        check("America/Berlin", Some("Europe/Berlin"));
        check("new york", Some("America/New_York"));
        check("Atlantis", None);
    }
}
