//! Bugs on purpose. Each can be switched on in a test build, and the checker must then find it: a
//! checker that has never failed proves nothing.

use crate::broker::Broker;

/// A bug that can be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlantedBug {
    /// Receipts leave before their records are durable.
    ReceiptTooEarly,
    /// Deliveries leave before their records are durable.
    DeliveryTooEarly,
    /// Effects whose gate is open overtake earlier ones of their stream.
    StreamOvertakes,
    /// Acknowledgements are not recorded.
    AckForgotten,
    /// A cumulative acknowledgement covers only the delivery that it names.
    CumulativeAcksOne,
    /// The last step of a transaction is not recorded.
    HalfTransaction,
    /// An aborted transaction's acknowledgements count.
    AbortSettles,
    /// Deliveries are not counted.
    CountForgotten,
    /// Second arrivals are taken over again.
    DuplicateAccepted,
    /// Expired messages are handed out.
    ExpiredDelivered,
    /// A durable subscription misses what is published while nobody consumes from it.
    AwayMisses,
    /// Messages that are set aside are dropped.
    DeadLetterLost,
}

impl PlantedBug {
    /// All of them.
    pub const ALL: [PlantedBug; 12] = [
        PlantedBug::ReceiptTooEarly,
        PlantedBug::DeliveryTooEarly,
        PlantedBug::StreamOvertakes,
        PlantedBug::AckForgotten,
        PlantedBug::CumulativeAcksOne,
        PlantedBug::HalfTransaction,
        PlantedBug::AbortSettles,
        PlantedBug::CountForgotten,
        PlantedBug::DuplicateAccepted,
        PlantedBug::ExpiredDelivered,
        PlantedBug::AwayMisses,
        PlantedBug::DeadLetterLost,
    ];
}

impl Broker {
    /// Switches a bug on.
    pub fn plant(&mut self, bug: PlantedBug) {
        self.planted = Some(bug);
    }

    /// The bug that is switched on.
    pub fn planted(&self) -> Option<PlantedBug> {
        self.planted
    }
}
