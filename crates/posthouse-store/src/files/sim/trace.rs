//! Everything that has been done to a disk since it was made, and the disk as it was at any time.

use super::medium::{Medium, Operation};

/// Operations from one disk that is kept to the next: looking back carries out at most as many.
const STRIDE: usize = 16;

/// See the module.
#[derive(Clone, Debug)]
pub struct Trace {
    operations: Vec<Operation>,
    kept: Vec<Medium>,
}

impl Trace {
    /// The trace of a disk to which nothing has been done yet.
    pub fn new(medium: &Medium) -> Trace {
        Trace { operations: Vec::new(), kept: vec![medium.clone()] }
    }

    /// Notes an operation that has led to `medium`.
    pub fn note(&mut self, operation: Operation, medium: &Medium) {
        self.operations.push(operation);
        if self.operations.len().is_multiple_of(STRIDE) {
            self.kept.push(medium.clone());
        }
    }

    /// What was done, in order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The disk after `at` operations.
    pub fn medium(&self, at: usize) -> Medium {
        let at = at.min(self.operations.len());
        let from = at / STRIDE;
        let mut medium = self.kept.get(from).cloned().unwrap_or_default();
        let rest = self.operations.get(from * STRIDE..at).unwrap_or_default();
        rest.iter().for_each(|operation| medium.apply(operation));
        medium
    }
}
