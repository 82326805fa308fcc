//! The state that belongs to each batch, by replaying the records from the first on, without the
//! journal and without checkpoints.

use posthouse_core::broker::Broker;
use posthouse_core::ids::BatchNo;
use posthouse_core::policy::Policies;
use posthouse_core::record::codec;
use posthouse_core::store::Batch;

use crate::invariants::Breach;

/// A state in words: see [`Broker::durable_digest`].
pub type Digest = Vec<String>;

/// Replays batches one by one.
pub struct Oracle {
    broker: Broker,
}

impl Oracle {
    /// Before the first batch.
    pub fn new(policies: &Policies) -> Oracle {
        Oracle { broker: Broker::new(policies.clone()) }
    }

    /// Hears the next batch.
    pub fn hear(&mut self, batch: &Batch) {
        let records = codec::decode_all(&batch.records.clone().into());
        let records = records.expect("the node writes records");
        records.iter().for_each(|record| self.broker.evolve(record));
    }

    /// The state after what was heard.
    pub fn digest(&self) -> Digest {
        self.broker.durable_digest()
    }

    /// The state after the first batches up to `last`.
    pub fn digest_after(policies: &Policies, batches: &[Batch], last: BatchNo) -> Digest {
        let mut oracle = Oracle::new(policies);
        let heard = batches.iter().take_while(|batch| batch.number <= last);
        heard.for_each(|batch| oracle.hear(batch));
        oracle.digest()
    }
}

/// Whether a node that has just started has the state that it should have. Its first line, the
/// number of its run, is one higher.
///
/// # Errors
/// The first difference.
pub fn compare(expected: &[String], found: &[String]) -> Result<(), Breach> {
    let differs = |(expected, found): &(&String, &String)| !is_same(expected, found);
    let pairs = expected.iter().zip(found).skip(1);
    let detail = match pairs.into_iter().find(differs) {
        Some((expected, found)) => format!("should have \"{expected}\", has \"{found}\""),
        None if expected.len() != found.len() => {
            let (longer, shorter) =
                if expected.len() > found.len() { (expected, found) } else { (found, expected) };
            let (should, has) = (expected.len(), found.len());
            let odd = longer.get(shorter.len()).map_or("", String::as_str);
            format!("should have {should} lines, has {has}; of one only: \"{odd}\"")
        }
        None => return Ok(()),
    };
    Err(Breach { invariant: "state-is-of-a-batch", detail })
}

/// What stands for the sum of a content that is not in memory.
const UNKNOWN: &str = " sum 00000000 ";

/// Whether two lines say the same, as far as the content is in memory on both sides. What is not
/// is compared when it is consumed.
fn is_same(expected: &str, found: &str) -> bool {
    if expected == found {
        return true;
    }
    let is_unknown = expected.contains(UNKNOWN) || found.contains(UNKNOWN);
    is_unknown && without_sum(expected) == without_sum(found)
}

fn without_sum(line: &str) -> Option<(&str, &str)> {
    let (before, behind) = line.split_once(" sum ")?;
    Some((before, behind.split_once(' ')?.1))
}

#[cfg(test)]
mod tests {
    use super::compare;

    fn check(expected: &str, found: &str, is_same: bool) {
        let lines = |text: &str| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
        let compared = compare(&lines(expected), &lines(found));
        assert_eq!(compared.is_ok(), is_same, "{expected:?} and {found:?}: {compared:?}");
    }

    #[test]
    fn differences_are_found_and_contents_on_disk_are_no_difference() {
        check("run 1\na\nb", "run 2\na\nb", true);
        check("run 1\na\nb", "run 2\na\nc", false);
        check("run 1\na\nb", "run 2\na", false);
        check("run 1\na", "run 2\na\nb", false);
        check("run 1\na bytes 1 sum 12345678 z", "run 2\na bytes 1 sum 12345678 z", true);
        check("run 1\na bytes 1 sum 12345678 z", "run 2\na bytes 1 sum 87654321 z", false);
        check("run 1\na bytes 1 sum 12345678 z", "run 2\na bytes 1 sum 00000000 z", true);
        check("run 1\na bytes 1 sum 12345678 z", "run 2\na bytes 2 sum 00000000 z", false);
        check("run 1\na bytes 1 sum 12345678 z", "run 2\na bytes 1 sum 00000000 y", false);
    }
}
