//! Which source of the node is meant.

use clap::Args;
use serde_json::Value;

use crate::cli::Global;
use crate::cli::api::{Api, escape};
use crate::codes::Code;
use crate::exit::Exit;
use crate::failure::Failure;

/// Which source is meant.
#[derive(Clone, Debug, Args)]
pub(crate) struct Of {
    /// The source. It may be left out when the node has one only.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

/// A source of a running node.
#[derive(Debug)]
pub(super) struct At {
    /// The node's API.
    pub(super) api: Api,
    path: String,
}

impl Of {
    /// Finds the source at its node.
    ///
    /// # Errors
    /// When the node cannot be reached, has no source, or several and none was named.
    pub(super) fn find(&self, global: &Global) -> Result<At, Failure> {
        let api = Api::find(global)?;
        let name = match &self.source {
            Some(name) => name.clone(),
            None => only(&api)?,
        };
        Ok(At { path: format!("/relay/sources/{}", escape(&name)), api })
    }
}

impl At {
    /// The path of what is below the source.
    pub(super) fn path(&self, below: &str) -> String {
        format!("{}{below}", self.path)
    }

    /// Reads something below the source.
    ///
    /// # Errors
    /// See [`Api::get`].
    pub(super) fn get(&self, below: &str) -> Result<Value, Failure> {
        self.api.get(&self.path(below))
    }

    /// Does something below the source.
    ///
    /// # Errors
    /// See [`Api::get`].
    pub(super) fn post(&self, below: &str) -> Result<Value, Failure> {
        self.api.post(&self.path(below))
    }

    /// Removes something below the source.
    ///
    /// # Errors
    /// See [`Api::get`].
    pub(super) fn delete(&self, below: &str) -> Result<Value, Failure> {
        self.api.delete(&self.path(below))
    }
}

/// The only source that there is.
fn only(api: &Api) -> Result<String, Failure> {
    let answer = api.get("/relay/sources?page_size=1000")?;
    let items = answer.get("items").and_then(Value::as_array);
    let names = items.into_iter().flatten().filter_map(|item| item.get("name")?.as_str());
    let names: Vec<&str> = names.collect();
    match names.as_slice() {
        [name] => Ok((*name).to_owned()),
        [] => {
            let help = "add a [[relay.source]] to the configuration and start the node again";
            Err(Failure::new(Code::SourceUnknown, "this node has no relay source", help))
        }
        names => {
            let message = format!("this node has several sources: {}", names.join(", "));
            let failure = Failure::new(Code::SourceUnknown, message, "name one with --source");
            Err(Failure { exit: Exit::Usage, ..failure })
        }
    }
}
