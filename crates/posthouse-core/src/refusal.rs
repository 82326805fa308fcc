//! What the core answers to a command that it does not carry out.

use std::fmt;

/// Why a command was refused, as a stable code that documentation and clients can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// The destination's name cannot be one.
    NameInvalid,
    /// A wildcard stands where one destination must be named.
    WildcardRefused,
    /// There is no such destination, and it is not made on demand.
    DestinationUnknown,
    /// The destination is full, and its policy is to refuse.
    DestinationFull,
    /// The destination stayed full for longer than its producers are made to wait.
    BlockedTooLong,
    /// The message is larger than its destination takes at all.
    MessageTooLarge,
    /// The selector cannot be read.
    SelectorInvalid,
    /// A durable subscription needs a client name, and a name of its own.
    SubscriptionNameMissing,
    /// Somebody is consuming from the durable subscription already.
    SubscriptionInUse,
    /// There is no such durable subscription.
    SubscriptionUnknown,
    /// There is no such transaction, or it has ended.
    TransactionUnknown,
    /// The transaction holds more than it may.
    TransactionTooLarge,
    /// There is no such consumer, or it is gone.
    ConsumerUnknown,
    /// There is no such delivery, or it is settled already.
    DeliveryUnknown,
    /// A limit of the node is reached.
    LimitReached,
    /// A subscriber was too slow, and its destination's policy is to end it.
    SubscriberTooSlow,
    /// The destination is in use by consumers and so cannot be removed.
    DestinationInUse,
    /// What was asked for is not offered for this kind of destination.
    NotOffered,
    /// The disk has no room for messages that must survive.
    StoreFull,
}

impl Code {
    /// The code as users see it, such as `PH1202`.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::NameInvalid => "PH1201",
            Code::WildcardRefused => "PH1202",
            Code::DestinationUnknown => "PH1203",
            Code::DestinationFull => "PH1204",
            Code::BlockedTooLong => "PH1205",
            Code::MessageTooLarge => "PH1206",
            Code::SelectorInvalid => "PH1207",
            Code::SubscriptionNameMissing => "PH1208",
            Code::SubscriptionInUse => "PH1209",
            Code::SubscriptionUnknown => "PH1210",
            Code::TransactionUnknown => "PH1211",
            Code::TransactionTooLarge => "PH1212",
            Code::ConsumerUnknown => "PH1213",
            Code::DeliveryUnknown => "PH1214",
            Code::LimitReached => "PH1215",
            Code::SubscriberTooSlow => "PH1216",
            Code::DestinationInUse => "PH1217",
            Code::NotOffered => "PH1218",
            Code::StoreFull => "PH1219",
        }
    }
}

/// A refusal: its code and what happened, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// What happened, for a person.
    pub detail: String,
}

impl Refusal {
    /// A refusal that says `detail`.
    pub fn new(code: Code, detail: impl Into<String>) -> Refusal {
        Refusal { code, detail: detail.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Refusal {}
