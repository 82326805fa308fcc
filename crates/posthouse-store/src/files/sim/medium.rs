//! A disk at one time, and the operations that bring it from one time to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::content::{self, Block, Content};
use super::names::{self, FileNo, Names};

/// Everything that changes a disk.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Blocks of a file are written, which is then at least so long.
    Write {
        /// Which file.
        file: FileNo,
        /// Index and content of the blocks, as they are with everything that was written before.
        blocks: Vec<(usize, Block)>,
        /// The end of what is written, in bytes.
        end: u64,
    },
    /// A file is made at least so long.
    Reserve {
        /// Which file.
        file: FileNo,
        /// How long, in bytes.
        bytes: u64,
    },
    /// A file is synced, or that fails.
    Sync {
        /// Which file.
        file: FileNo,
        /// Whether it fails.
        fails: bool,
    },
    /// A name is made, changed or removed.
    Name(names::Change),
    /// The directory is synced, or that fails.
    SyncNames {
        /// Whether it fails.
        fails: bool,
    },
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Medium {
    /// The directory.
    pub names: Names,
    files: BTreeMap<FileNo, Arc<Content>>,
    /// Operations that have ever been carried out: each is known by its number.
    operations: usize,
}

impl Medium {
    /// What is in a file.
    pub fn content(&self, file: FileNo) -> Option<&Content> {
        self.files.get(&file).map(Arc::as_ref)
    }

    /// What is in a file, to change it.
    pub fn content_mut(&mut self, file: FileNo) -> &mut Content {
        Arc::make_mut(self.files.entry(file).or_default())
    }

    /// A number that no file has had.
    pub fn next_file(&self) -> FileNo {
        self.files.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// The length of all files that have a name, in bytes.
    pub fn used_bytes(&self) -> u64 {
        let named = self.names.live().values().filter_map(|file| self.content(*file));
        named.map(|content| content.live().bytes).sum()
    }

    /// Carries an operation out.
    pub fn apply(&mut self, operation: &Operation) {
        let number = self.operations;
        self.operations += 1;
        match operation {
            Operation::Write { file, blocks, end } => {
                let content = self.content_mut(*file);
                lengthen(content, number, *end);
                for (index, block) in blocks {
                    let change = content::Change::Block(*index, Arc::clone(block));
                    content.change(number, change);
                }
            }
            Operation::Reserve { file, bytes } => {
                lengthen(self.content_mut(*file), number, *bytes);
            }
            Operation::Sync { file, fails: false } => self.content_mut(*file).sync(),
            Operation::Sync { file, fails: true } => self.content_mut(*file).fail_sync(),
            Operation::Name(change) => {
                if let names::Change::Created(_, file) = change {
                    self.files.insert(*file, Arc::default());
                }
                self.names.change(number, change.clone());
            }
            Operation::SyncNames { fails: false } => self.names.sync(),
            Operation::SyncNames { fails: true } => self.names.fail_sync(),
        }
    }

    /// The last operation that wrote blocks of which nothing is durable yet.
    pub fn last_write(&self) -> Option<usize> {
        let is_block =
            |pending: &&content::Pending| matches!(pending.change, content::Change::Block(..));
        let pending = self.files.values().flat_map(|content| content.pending());
        pending.filter(is_block).map(|pending| pending.operation).max()
    }

    /// The operations of which something is not durable, in ascending order.
    pub fn pending_operations(&self) -> Vec<usize> {
        let writes = self.files.values().flat_map(|content| content.pending());
        let writes = writes.map(|pending| pending.operation);
        let names = self.names.pending().iter().map(|pending| pending.operation);
        let mut operations: Vec<usize> = writes.chain(names).collect();
        operations.sort_unstable();
        operations.dedup();
        operations
    }

    /// What is left after a power cut in which those changes survive that are picked.
    pub fn settled(
        &self,
        picks_name: &mut dyn FnMut(&names::Pending) -> bool,
        picks_write: &mut dyn FnMut(&content::Pending) -> bool,
    ) -> Medium {
        let names = self.names.settled(picks_name);
        let named = names.live().values().filter_map(|file| Some((file, self.content(*file)?)));
        let files = named.map(|(file, content)| (*file, Arc::new(content.settled(picks_write))));
        Medium { files: files.collect(), names, operations: self.operations }
    }
}

fn lengthen(content: &mut Content, operation: usize, bytes: u64) {
    if bytes > content.live().bytes {
        content.change(operation, content::Change::Length(bytes));
    }
}
