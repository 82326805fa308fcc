//! A source on any of the databases that Posthouse knows.

use posthouse_pump::outcome::Settlement;
use posthouse_pump::read::{Found, Read, Span};

use super::adopt::{self, Adopted, Report};
use super::base::{Base, CommitOrder, Dialect, Door, Options};
use super::error::SourceError;
use super::limits::{CALL_MAX, UNFED_SHOWN_MAX};
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
    adopted: Option<Adopted>,
}

/// Makes a source of an address such as `postgres://user:password@host/database`,
/// `mysql://user:password@host/database` or `sqlite:/path/file.db`. It connects when it is used
/// first; [`Source::prepare`] says whether it can be used.
///
/// # Errors
/// [`SourceErrorKind::Unfit`](super::SourceErrorKind::Unfit) if the address cannot be understood.
/// The address itself, which may hold a password, is not repeated.
pub fn connect(url: &str, options: Options) -> Result<AnySource, SourceError> {
    let adopted = Adopted::of(&options);
    Ok(AnySource { base: Base::open(url, &options)?, options, adopted })
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

    /// What is to be said about its adopted table; `None` if it has none.
    ///
    /// # Errors
    /// See [`SourceError`]. What is wrong with the table is in the report.
    pub async fn adoption_report(&self) -> Result<Option<Report>, SourceError> {
        let Some(adopted) = &self.adopted else { return Ok(None) };
        let report = Box::pin(adopted.report(&self.base, &self.options));
        limited("looking at the adopted table", report).await.map(Some)
    }

    /// Makes the side tables that an adopted table needs. Nothing is changed of that table.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn adopt(&self) -> Result<(), SourceError> {
        let Some(adopted) = &self.adopted else { return Ok(()) };
        limited("making the tables of the feed", Box::pin(adopted.create(&self.base))).await
    }

    /// The first rows of its adopted table that could not be fed.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn unfed(&self) -> Result<Vec<adopt::Unfed>, SourceError> {
        let unfed = async {
            let mut work = self.base.single(Door::Work).await?;
            let unfed = adopt::unfed(&mut work, None, UNFED_SHOWN_MAX).await?;
            work.done();
            Ok(unfed)
        };
        limited("looking for rows that could not be fed", unfed).await
    }

    /// One turn of its feed, without a read.
    #[cfg(test)]
    pub(super) async fn feed_once(&self) -> bool {
        match &self.adopted {
            Some(adopted) => adopted.feed(&self.base).await.expect("it is fed"),
            None => false,
        }
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
        limited("checking the source", prepare::prepare(&self.base, &self.options)).await?;
        let Some(adopted) = &self.adopted else { return Ok(()) };
        let prepared = Box::pin(adopted.prepare(&self.base, &self.options));
        limited("checking the adopted table", prepared).await
    }

    async fn round(&self, greeting: &Greeting) -> Result<Round, SourceError> {
        limited("beginning a round", round::round(&self.base, &self.options, greeting)).await
    }

    async fn read(&self, wanted: &Read) -> Result<Found, SourceError> {
        let has_more = match (&self.adopted, &wanted.span) {
            (Some(adopted), Span::Forward { .. }) => {
                limited("feeding requests", Box::pin(adopted.feed(&self.base))).await?
            }
            _ => false,
        };
        let found = read::read(&self.base, &self.options, wanted);
        let mut found = limited("reading requests", found).await?;
        found.has_more |= has_more;
        Ok(found)
    }

    async fn settle(&self, settlement: &Settlement) -> Result<Concluded, SourceError> {
        let settled = settle::settle(&self.base, &self.options, settlement);
        let concluded = limited("writing outcomes back", settled).await?;
        if let Some(adopted) = &self.adopted {
            let ended = settlement.outcomes.iter().map(|outcome| outcome.id.0);
            Box::pin(adopted.tell(&self.base, ended)).await;
        }
        Ok(concluded)
    }

    async fn operate(&self, action: &Action) -> Result<Operated, SourceError> {
        let operated = operate::operate(&self.base, action);
        let operated = limited("carrying out an action", operated).await?;
        if let Some(adopted) = &self.adopted {
            Box::pin(adopted.tell(&self.base, operated.changed.iter().map(|id| id.0))).await;
        }
        Ok(operated)
    }

    async fn retain(&self, node: &str) -> Result<Retained, SourceError> {
        limited("removing old requests", retention::retain(&self.base, &self.options, node)).await
    }

    async fn look(&self, query: &Query) -> Result<Answer, SourceError> {
        limited("answering a question", look_up::look(&self.base, &self.options, query)).await
    }

    async fn wake(&self) {
        match &self.adopted {
            None => self.base.wake().await,
            Some(adopted) => tokio::select! {
                () = self.base.wake() => {}
                () = adopted.wake(&self.base) => {}
            },
        }
    }

    async fn close(&self) {
        self.base.close().await;
    }
}
