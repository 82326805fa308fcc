//! Reads a [history](crate::history) and says which promise was broken, if any.
//!
//! First the history becomes a [`ledger`]: every message with its attempts and deliveries, every
//! consumer from begin to end, every transaction with its outcome. Then each check, a function in a
//! file of its own, goes over the ledger and reports what cannot have happened had the node kept
//! its word. What is unknown speaks for the node: a call without an outcome may have been done.
//! What nobody could promise is excused, and each excuse is named where it is made.

mod acknowledgement;
mod atomicity;
mod browsing;
mod completeness;
mod duplication;
mod early;
mod expectation;
mod expiry;
mod fate;
mod ledger;
mod loss;
mod order;
mod progress;
mod redelivery;
mod report;
mod subscriber;
#[cfg(test)]
mod tests;

pub use report::{Check, Figures, Report, Violation};

use crate::history::History;
use ledger::Ledger;

/// The checks, each with the promise that it is for.
const CHECKS: [fn(&Ledger<'_>, &mut Report); 18] = [
    loss::nothing_confirmed_is_lost,
    expectation::only_what_was_sent_arrives,
    expectation::only_what_was_asked_for_arrives,
    expectation::credit_is_kept,
    duplication::nothing_arrives_twice,
    acknowledgement::acknowledged_stays_acknowledged,
    order::order_is_kept,
    atomicity::transactions_are_atomic,
    completeness::durable_subscriptions_are_complete,
    subscriber::subscribers_miss_nothing,
    subscriber::latecomers_get_nothing_old,
    redelivery::redeliveries_are_counted,
    redelivery::dead_letters_have_a_reason,
    early::nothing_is_seen_before_its_commit,
    early::retries_wait,
    expiry::nothing_arrives_after_its_expiry,
    browsing::browsers_see_what_is_there,
    progress::everything_is_consumed_in_time,
];

/// Checks a history.
///
/// # Errors
/// If the history contradicts itself, so that nothing can be said about the node.
pub fn check(history: &History) -> Result<Report, String> {
    let ledger = Ledger::read(history)?;
    let mut report = Report::default();
    for check in CHECKS {
        check(&ledger, &mut report);
    }
    Ok(report)
}
