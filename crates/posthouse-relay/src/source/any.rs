//! A source on any of the databases that Posthouse knows.

use posthouse_pump::outcome::Settlement;
use posthouse_pump::read::{Found, Read};

use super::base::{Base, CommitOrder, Dialect, Options};
use super::error::SourceError;
use super::limits::CALL_MAX;
use super::look::{Answer, Query};
use super::operate::{Action, Operated};
use super::retention::Retained;
use super::submit::{NewRequest, Submitted};
use super::{
    Concluded, Greeting, Round, Source, look_up, operate, prepare, read, retention, round, settle,
    submit,
};

/// A request table in a SQL database. Which database it is, is a closed choice beneath.
pub struct AnySource {
    base: Base,
    options: Options,
}

/// Makes a source of an address such as `postgres://user:password@host/database`,
/// `mysql://user:password@host/database` or `sqlite:/path/file.db`. It connects when it is used
/// first; [`Source::prepare`] says whether it can be used.
///
/// # Errors
/// [`SourceErrorKind::Unfit`](super::SourceErrorKind::Unfit) if the address cannot be understood.
/// The address itself, which may hold a password, is not repeated.
pub fn connect(url: &str, options: Options) -> Result<AnySource, SourceError> {
    Ok(AnySource { base: Base::open(url, &options)?, options })
}

/// Whether [`connect`] can understand an address. Nothing is opened.
///
/// # Errors
/// As there.
pub fn check_address(url: &str) -> Result<(), SourceError> {
    Base::check(url)
}

/// The dialect of the database at an address; `None` for what is no address.
pub fn dialect_of(url: &str) -> Option<Dialect> {
    Base::dialect_at(url).ok()
}

impl AnySource {
    /// The dialect of its database.
    pub fn dialect(&self) -> Dialect {
        self.base.dialect()
    }

    /// Writes a request of its own, as a platform's writer would.
    ///
    /// # Errors
    /// See [`SourceError`]; `Unfit` if the request could not be relayed as it is.
    pub async fn submit(&self, request: &NewRequest) -> Result<Submitted, SourceError> {
        limited("writing a request", Box::pin(submit::submit(&self.base, request))).await
    }

    /// What makes requests visible.
    pub fn order(&self) -> CommitOrder {
        self.options.order
    }
}

/// Waits for an answer, but not for ever; and says what was being done when it went wrong.
async fn limited<T>(
    doing: &str,
    answer: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    match tokio::time::timeout(CALL_MAX, answer).await {
        Ok(answer) => answer.map_err(|error| error.while_doing(doing)),
        Err(_) => Err(SourceError::late(doing)),
    }
}

impl Source for AnySource {
    async fn prepare(&self) -> Result<(), SourceError> {
        limited("checking the source", prepare::prepare(&self.base, &self.options)).await
    }

    async fn round(&self, greeting: &Greeting) -> Result<Round, SourceError> {
        limited("beginning a round", round::round(&self.base, &self.options, greeting)).await
    }

    async fn read(&self, wanted: &Read) -> Result<Found, SourceError> {
        limited("reading requests", read::read(&self.base, &self.options, wanted)).await
    }

    async fn settle(&self, settlement: &Settlement) -> Result<Concluded, SourceError> {
        let settled = settle::settle(&self.base, &self.options, settlement);
        limited("writing outcomes back", settled).await
    }

    async fn operate(&self, action: &Action) -> Result<Operated, SourceError> {
        limited("carrying out an action", operate::operate(&self.base, action)).await
    }

    async fn retain(&self, node: &str) -> Result<Retained, SourceError> {
        limited("removing old requests", retention::retain(&self.base, &self.options, node)).await
    }

    async fn look(&self, query: &Query) -> Result<Answer, SourceError> {
        limited("answering a question", look_up::look(&self.base, &self.options, query)).await
    }

    async fn wake(&self) {
        self.base.wake().await;
    }

    async fn close(&self) {
        self.base.close().await;
    }
}
