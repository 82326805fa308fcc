//! Bugs on purpose. Each can be switched on in a test build, and the crash explorer must then
//! find it: an explorer that has never failed proves nothing.

/// A bug that can be switched on by `Options::bug`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlantedBug {
    /// Batches are reported as durable when they are written, before they are synced.
    DurableBeforeSync,
    /// The name of a new segment is not synced.
    SyncSkipsNewSegment,
    /// A recycled segment keeps the epoch of its former life.
    StaleSegmentAccepted,
    /// A checkpoint counts although the batches that it takes in are not durable yet.
    CheckpointBeforeSegmentSync,
    /// The manifest names a checkpoint that is not synced.
    ManifestBeforeCheckpoint,
    /// Compaction does not copy one of the survivors.
    CompactionDropsSurvivor,
    /// Segments are freed before the manifest that does not need them is durable.
    FreesTooEarly,
    /// What nothing vouches for is not written once more at the start.
    TailNotRewritten,
    /// Damage ends the log as if it were a torn write.
    DamageTakenForTear,
    /// A sync that failed is tried again.
    RetriesSync,
}

impl PlantedBug {
    /// All of them.
    pub const ALL: [PlantedBug; 10] = [
        PlantedBug::DurableBeforeSync,
        PlantedBug::SyncSkipsNewSegment,
        PlantedBug::StaleSegmentAccepted,
        PlantedBug::CheckpointBeforeSegmentSync,
        PlantedBug::ManifestBeforeCheckpoint,
        PlantedBug::CompactionDropsSurvivor,
        PlantedBug::FreesTooEarly,
        PlantedBug::TailNotRewritten,
        PlantedBug::DamageTakenForTear,
        PlantedBug::RetriesSync,
    ];
}
