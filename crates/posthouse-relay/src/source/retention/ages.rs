//! How long finished requests stay, and what a step of the walk did.

/// The states that a request ends in, by name and number in the table.
pub const KEPT_STATES: [(&str, i64); 5] =
    [("done", 3), ("failed", 4), ("rejected", 6), ("expired", 5), ("cancelled", 7)];

/// For each state of [`KEPT_STATES`], how long its requests stay after their end, in milliseconds;
/// `None`: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages(pub [Option<u64>; 5]);

impl Ages {
    /// The shortest of them; `None`: everything stays.
    pub fn shortest_ms(&self) -> Option<u64> {
        self.0.iter().flatten().min().copied()
    }

    /// The states whose requests leave: their numbers, and after how many milliseconds.
    pub(super) fn limited(&self) -> impl Iterator<Item = (i64, u64)> {
        KEPT_STATES.iter().zip(self.0).filter_map(|((_, state), age)| Some((*state, age?)))
    }
}

/// What happens to finished requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long they stay.
    pub ages: Ages,
    /// Whether they are moved to the archive instead of being deleted.
    pub is_archived: bool,
    /// How long they stay in the archive, in milliseconds; `None`: for ever.
    pub archive_ms: Option<u64>,
}

impl Retention {
    /// Whether anything ever leaves the request table.
    pub fn is_on(&self) -> bool {
        self.ages.shortest_ms().is_some()
    }

    /// Whether there is anything to do at all.
    pub fn has_work(&self) -> bool {
        self.is_on() || self.archive_ms.is_some()
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Whether another node walks, so that nothing was done here.
    pub is_elsewhere: bool,
    /// Whether the walk has come to its end.
    pub has_ended: bool,
    /// Requests that were moved to the archive by this step.
    pub archived: u64,
    /// Requests that were deleted by this step.
    pub deleted: u64,
    /// Requests that were deleted from the archive by this step.
    pub forgotten: u64,
    /// Of the walk so far, this step included: moved or deleted.
    pub walk_removed: u64,
}
