//! Sets of HTTP statuses, written as `200-299, 304`.

use std::ops::RangeInclusive;

use super::limits::STATUS_RANGES_MAX;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatusSet(Vec<RangeInclusive<u16>>);

impl StatusSet {
    /// Reads a list; an empty one is an empty set.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(crate) fn parse(text: &str) -> Result<StatusSet, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let ranges: Result<Vec<_>, String> = parts.take(STATUS_RANGES_MAX + 1).map(range).collect();
        let ranges = ranges?;
        if ranges.len() > STATUS_RANGES_MAX {
            return Err(format!("it has more than {STATUS_RANGES_MAX} ranges"));
        }
        Ok(StatusSet(ranges))
    }

    /// Whether `status` is among them.
    pub(crate) fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// The first status that is in both.
    pub(crate) fn overlap(&self, other: &StatusSet) -> Option<u16> {
        (100..=599).find(|status| self.contains(*status) && other.contains(*status))
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let wrong = || format!("\"{text}\" is neither a status nor a range such as 200-299");
    let status = |text: &str| text.trim().parse::<u16>().map_err(|_| wrong());
    let (first, last) = (status(first)?, status(last)?);
    if first < 100 || last > 599 || first > last {
        return Err(format!("\"{text}\": statuses go from 100 to 599, the lower one first"));
    }
    Ok(first..=last)
}
