//! What becomes of rows that were looked at, as a function of what is known of them.
//!
//! Rows of one business id enter in the order of their ids or not at all: behind one that cannot be
//! fed the others wait, as they would behind a request that cannot be read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is known of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fact {
    pub(super) row_id: i64,
    /// The name under which receivers are to know its request.
    pub(super) name: String,
    pub(super) key: Option<String>,
    pub(super) body_bytes: i64,
    /// Why it cannot be fed, if it cannot.
    pub(super) flaw: Option<String>,
    /// Whether it is a request at all, and is to be sent.
    pub(super) is_wanted: bool,
}

/// What is known on our side.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Rows that others have locked.
    pub(super) locked: BTreeSet<i64>,
    /// Requests of rows that were fed before.
    pub(super) links: BTreeMap<i64, i64>,
    /// Requests by name, with their states.
    pub(super) named: HashMap<String, (i64, i64)>,
    /// The lowest row of a business id that could not be fed.
    pub(super) held: HashMap<String, i64>,
}

/// A row that could not be fed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unfed {
    pub(super) row_id: i64,
    pub(super) key: Option<String>,
    pub(super) reason: String,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Decision {
    /// Rows to be taken over.
    pub(super) insert: Vec<i64>,
    /// Rows whose finished requests are to be opened again.
    pub(super) reopen: Vec<(i64, i64)>,
    /// Rows whose requests are open still.
    pub(super) retake: Vec<i64>,
    pub(super) unfed: Vec<Unfed>,
    /// Rows that are no requests.
    pub(super) unwanted: Vec<i64>,
    /// Every row about which something was decided.
    pub(super) seen: Vec<i64>,
    /// Whether the bytes were used up before the rows.
    pub(super) is_cut: bool,
}

impl Decision {
    /// Rows that are taken.
    pub(super) fn taken(&self) -> Vec<i64> {
        let reopened = self.reopen.iter().map(|(row_id, _)| row_id);
        self.insert.iter().chain(reopened).chain(&self.retake).copied().collect()
    }
}

/// Decides, in the order of ids. At least one row goes, however long it is.
pub(super) fn decide(facts: &[Fact], known: &Known, bytes_max: i64) -> Decision {
    let mut decider = Decider { known, behind_locked: BTreeSet::new(), held: HashMap::new() };
    let (mut decision, mut names, mut bytes) = (Decision::default(), BTreeSet::new(), 0_i64);
    for fact in facts {
        if known.locked.contains(&fact.row_id) {
            decider.behind_locked.extend(fact.key.clone());
            continue;
        }
        if fact.key.as_ref().is_some_and(|key| decider.behind_locked.contains(key)) {
            continue;
        }
        if bytes > 0 && bytes.saturating_add(fact.body_bytes) > bytes_max {
            decision.is_cut = true;
            break;
        }
        decision.seen.push(fact.row_id);
        if !fact.is_wanted {
            decision.unwanted.push(fact.row_id);
        } else if let Some(reason) = decider.reason(fact, &names) {
            decider.hold(fact);
            let (row_id, key) = (fact.row_id, fact.key.clone());
            decision.unfed.push(Unfed { row_id, key, reason });
        } else {
            names.insert(fact.name.clone());
            bytes = bytes.saturating_add(fact.body_bytes.max(1));
            decider.let_in(fact, &mut decision);
        }
    }
    decision
}

struct Decider<'a> {
    known: &'a Known,
    behind_locked: BTreeSet<String>,
    held: HashMap<String, i64>,
}

impl Decider<'_> {
    fn hold(&mut self, fact: &Fact) {
        if let Some(key) = &fact.key {
            self.held.entry(key.clone()).or_insert(fact.row_id);
        }
    }

    /// Why a row cannot be fed.
    fn reason(&self, fact: &Fact, names: &BTreeSet<String>) -> Option<String> {
        if let Some(flaw) = &fact.flaw {
            return Some(flaw.clone());
        }
        let holder = fact.key.as_ref().and_then(|key| {
            let before = self.known.held.get(key).filter(|holder| **holder < fact.row_id);
            before.or_else(|| self.held.get(key))
        });
        if let Some(holder) = holder {
            return Some(format!("row {holder} of the same business id could not be fed"));
        }
        let name = &fact.name;
        let request = self.known.named.get(name).map(|(request, _)| *request);
        let is_other = request
            .is_some_and(|request| self.known.links.get(&fact.row_id).copied() != Some(request));
        (is_other || names.contains(name))
            .then(|| format!("another request has the request_id {name}"))
    }

    fn let_in(&self, fact: &Fact, decision: &mut Decision) {
        match self.known.named.get(&fact.name) {
            Some((request, state)) if *state >= 3 => {
                decision.reopen.push((fact.row_id, *request));
            }
            Some(_) => decision.retake.push(fact.row_id),
            None => decision.insert.push(fact.row_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(row_id: i64, key: &str) -> Fact {
        Fact {
            row_id,
            name: format!("t-{row_id}"),
            key: (!key.is_empty()).then(|| key.to_owned()),
            body_bytes: 10,
            flaw: None,
            is_wanted: true,
        }
    }

    fn bad(row_id: i64, key: &str) -> Fact {
        Fact { flaw: Some("it is bad".into()), ..fact(row_id, key) }
    }

    fn unfed(decision: &Decision) -> Vec<i64> {
        decision.unfed.iter().map(|one| one.row_id).collect()
    }

    #[test]
    fn what_is_bad_holds_its_business_id_and_no_other() {
        let facts =
            [fact(1, "a"), bad(2, "a"), fact(3, "a"), fact(4, "b"), bad(5, ""), fact(6, "")];
        let decision = decide(&facts, &Known::default(), 1_000);
        assert_eq!(decision.insert, [1, 4, 6]);
        assert_eq!(unfed(&decision), [2, 3, 5]);
        assert_eq!(decision.unfed[1].reason, "row 2 of the same business id could not be fed");
    }

    #[test]
    fn what_is_locked_holds_its_business_id_for_a_turn() {
        let known = Known { locked: [1].into(), ..Known::default() };
        let decision = decide(&[fact(1, "a"), fact(2, "a"), fact(3, "b")], &known, 1_000);
        assert_eq!((decision.insert, decision.seen), (vec![3], vec![3]));
    }

    #[test]
    fn bytes_are_bounded_but_one_row_always_goes() {
        let facts = [fact(1, "a"), fact(2, "a"), fact(3, "a")];
        for (bytes_max, expected) in [(1, vec![1]), (20, vec![1, 2]), (30, vec![1, 2, 3])] {
            let decision = decide(&facts, &Known::default(), bytes_max);
            assert_eq!((&decision.insert, decision.is_cut), (&expected, expected.len() < 3));
        }
    }

    #[test]
    fn finished_requests_are_opened_again_and_open_ones_left() {
        let known = Known {
            links: [(1, 11), (2, 12)].into(),
            named: [("t-1".into(), (11, 4)), ("t-2".into(), (12, 0)), ("t-3".into(), (13, 3))]
                .into(),
            ..Known::default()
        };
        let decision = decide(&[fact(1, "a"), fact(2, "a"), fact(3, "")], &known, 1_000);
        assert_eq!((&decision.reopen, &decision.retake), (&vec![(1, 11)], &vec![2]));
        assert_eq!(decision.unfed[0].reason, "another request has the request_id t-3");
    }

    #[test]
    fn what_waits_behind_another_page_goes_on_waiting() {
        let known = Known { held: [("a".into(), 1)].into(), ..Known::default() };
        let decision = decide(&[fact(2, "a"), fact(3, "b")], &known, 1_000);
        assert_eq!((decision.insert.as_slice(), unfed(&decision)), (&[3][..], vec![2]));
    }
}
