//! Fetching messages by their places: neighbours are read together, whatever the order in which
//! they are asked for.

use std::sync::Arc;

use posthouse_core::store::Kept;

use super::machine::Machine;
use super::open_files::OpenSegment;
use super::stretch::{Fetched, Stretch};
use crate::journal::fault::Fault;
use crate::journal::layout::place::Place;
use crate::journal::layout::{BLOCK_BYTES, PAYLOAD_BYTES};

/// What lies between two records is read along up to this length, in blocks of 64 KiB together.
const GAP_BLOCKS_MAX: u64 = (64 << 10) / BLOCK_BYTES as u64;

/// How much is read at once, unless a single record is longer: blocks of 1 MiB together.
const RUN_BLOCKS_MAX: u64 = (1 << 20) / BLOCK_BYTES as u64;

/// One record that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Want {
    place: Place,
    /// The block behind the last one that it is thought to need.
    end: u64,
    /// Which one it is of those that were asked for.
    index: usize,
}

impl Want {
    fn new(index: usize, kept: &Kept) -> Option<Want> {
        let place = Place::from_locator(kept.locator)?;
        // What a message counts is a little more than its record takes, unless many
        // subscriptions are named in it; then it is read on.
        let last = place.position + u64::from(kept.bytes);
        Some(Want { place, end: last / PAYLOAD_BYTES as u64 + 1, index })
    }
}

/// Fetches messages and hands each to `take` with its index, in the order of their places. Those
/// that cannot be read leave the others good. Answers how many bytes were read.
pub(super) fn fetch(
    machine: &Machine,
    wanted: &[Kept],
    take: &mut dyn FnMut(usize, Result<Fetched, String>),
) -> u64 {
    let mut wants = Vec::with_capacity(wanted.len());
    for (index, kept) in wanted.iter().enumerate() {
        match Want::new(index, kept) {
            Some(want) => wants.push(want),
            None => take(index, Err("the message was never given a place in the journal".into())),
        }
    }
    wants.sort_unstable_by_key(|want| want.place);
    runs(&wants).into_iter().map(|run| fetch_run(machine, run, take)).sum()
}

/// Cuts what is wanted, in the order of the places, into what is read together.
fn runs(wants: &[Want]) -> Vec<&[Want]> {
    let mut runs = Vec::new();
    let mut rest = wants;
    while let Some(first) = rest.first() {
        let mut end = first.end;
        let goes_on = |want: &&Want| {
            let joins = want.place.segment == first.place.segment
                && want.place.block() <= end + GAP_BLOCKS_MAX
                && want.end.max(end) <= first.place.block() + RUN_BLOCKS_MAX;
            end = if joins { end.max(want.end) } else { end };
            joins
        };
        let len = 1 + rest.iter().skip(1).take_while(goes_on).count();
        let (run, others) = rest.split_at(len);
        runs.push(run);
        rest = others;
    }
    runs
}

fn fetch_run(
    machine: &Machine,
    run: &[Want],
    take: &mut dyn FnMut(usize, Result<Fetched, String>),
) -> u64 {
    let read = read_run(machine, run).map_err(|fault| fault.to_string());
    for want in run {
        let fetched = match &read {
            Ok((segment, stretch, _)) => {
                stretch.fetch(segment, want.place).map_err(|fault| fault.to_string())
            }
            Err(why) => Err(why.clone()),
        };
        take(want.index, fetched);
    }
    read.map_or(0, |(_, _, bytes)| bytes)
}

fn read_run(machine: &Machine, run: &[Want]) -> Result<(Arc<OpenSegment>, Stretch, u64), Fault> {
    let place = run.first().map(|want| want.place).unwrap_or(Place { segment: 0, position: 0 });
    let end = run.iter().map(|want| want.end).max().unwrap_or(0);
    let segment = machine.open_files.get(place.segment, &machine.segments, &machine.options)?;
    let blocks = end.saturating_sub(place.block());
    let stretch = Stretch::read(&segment, place.block(), blocks)?;
    Ok((segment, stretch, blocks * BLOCK_BYTES as u64))
}

#[cfg(test)]
mod tests {
    use super::{Want, runs};
    use crate::journal::layout::PAYLOAD_BYTES;
    use crate::journal::layout::place::Place;

    fn want(segment: u64, block: u64, end: u64) -> Want {
        let position = block * PAYLOAD_BYTES as u64;
        Want { place: Place { segment, position }, end, index: 0 }
    }

    fn check(wants: &[Want], expected: &[usize]) {
        let lens: Vec<usize> = runs(wants).into_iter().map(<[Want]>::len).collect();
        assert_eq!(lens, expected, "{wants:?}");
    }

    #[test]
    fn neighbours_are_read_together() {
        check(&[], &[]);
        check(&[want(1, 1, 2), want(1, 1, 2), want(1, 2, 4)], &[3]);
        check(&[want(1, 1, 2), want(2, 1, 2)], &[1, 1]);
        check(&[want(1, 1, 2), want(1, 18, 19)], &[2]);
        check(&[want(1, 1, 2), want(1, 19, 20)], &[1, 1]);
        check(&[want(1, 1, 257), want(1, 257, 258)], &[1, 1]);
        check(&[want(1, 1, 900), want(1, 2, 3)], &[1, 1]);
        check(&[want(1, 1, 100), want(1, 2, 3), want(1, 100, 257)], &[3]);
    }
}
