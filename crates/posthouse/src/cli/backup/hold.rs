//! The hold that the node gives while its store is copied.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use posthouse_core::ids::BatchNo;
use posthouse_store::journal::layout::segment::StoreId;
use posthouse_store::journal::{HeldFile, HeldStore};

use crate::admin::{StoreFile, StoreHold};
use crate::cli::api::Api;
use crate::codes::Code;
use crate::failure::Failure;

/// A hold is renewed when this part of its life is over.
const RENEWALS_PER_LIFE: u32 = 4;

/// See the module. It ends by itself if the command does.
pub(super) struct NodeHold {
    api: Api,
    /// What the node has said.
    pub(super) answer: StoreHold,
    renewed: Instant,
    /// Why it could not be renewed.
    pub(super) failure: Option<Failure>,
    has_ended: bool,
}

impl NodeHold {
    /// Asks the node for it.
    ///
    /// # Errors
    /// What the node says, or that it cannot be reached.
    pub(super) fn take(api: Api) -> Result<NodeHold, Failure> {
        let renewed = Instant::now();
        let answer = serde_json::from_value(api.post("/store/holds")?).map_err(|_| invalid())?;
        Ok(NodeHold { api, answer, renewed, failure: None, has_ended: false })
    }

    /// Where the node keeps its files.
    pub(super) fn directory(&self) -> PathBuf {
        PathBuf::from(&self.answer.directory)
    }

    /// The files, as the copying knows them.
    ///
    /// # Errors
    /// That the node's answer makes no sense.
    pub(super) fn store(&self) -> Result<HeldStore, Failure> {
        let store = u128::from_str_radix(&self.answer.store, 16).map_err(|_| invalid())?;
        let held = |file: &StoreFile| {
            let StoreFile { name, bytes, durable_bytes } = file.clone();
            HeldFile { name, bytes, durable_bytes }
        };
        Ok(HeldStore {
            store: StoreId(store.to_be_bytes()),
            batch: BatchNo(self.answer.batch),
            files: self.answer.files.iter().map(held).collect(),
        })
    }

    /// Renews it if it is time. Answers whether it goes on.
    pub(super) fn keep(&mut self) -> bool {
        let life = Duration::from_millis(self.answer.ends_in_ms);
        if self.failure.is_none() && self.renewed.elapsed() >= life / RENEWALS_PER_LIFE {
            self.renewed = Instant::now();
            self.failure = self.api.post(&format!("{}/renew", self.path())).err();
        }
        self.failure.is_none()
    }

    /// Lets it go.
    ///
    /// # Errors
    /// That it was over before.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.has_ended = true;
        self.api.delete(&self.path()).map(|_| ())
    }

    fn path(&self) -> String {
        format!("/store/holds/{}", self.answer.id)
    }
}

impl Drop for NodeHold {
    fn drop(&mut self) {
        if !self.has_ended {
            // The command has failed already; without this the node would only wait longer.
            let _ = self.api.delete(&self.path());
        }
    }
}

fn invalid() -> Failure {
    let message = "the node's answer about its store makes no sense";
    Failure::new(Code::AnswerInvalid, message, "use the same version of Posthouse as the node")
}
