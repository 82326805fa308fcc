//! Looking at a queue without taking from it.

use std::collections::VecDeque;

use posthouse_wire::stomp::{Command, FrameRef, HeartBeat};
use tokio::time::Instant;

use crate::address::Server;
use crate::error::Error;
use crate::link::Link;
use crate::login::{log_in, read_refusal};
use crate::options::Options;
use crate::received::Received;
use crate::subscribe::Subscribe;

/// A walk over the messages of a queue.
///
/// It has a connection of its own, which is read only as fast as the program looks: a queue may
/// be far larger than memory, and must not hold up what else the client does.
#[derive(Debug)]
pub struct Browse {
    link: Link,
    view: View,
}

/// What of the last read has not been looked at.
#[derive(Debug, Default)]
struct View {
    waiting: VecDeque<Received>,
    is_ended: bool,
}

impl Browse {
    pub(crate) async fn open(
        server: &Server,
        options: &Options,
        subscribe: &Subscribe,
    ) -> Result<Self, Error> {
        let mut options = options.clone();
        // The client's name is taken by its other connection, and nobody beats while the program
        // does something else.
        options.client_id = None;
        options.heart_beat = HeartBeat { send_ms: 0, ..options.heart_beat };
        subscribe.check(&options)?;
        let mut link = log_in(server, &options).await?;
        subscribe.write_browse(&mut link.out, options.prefetch)?;
        Ok(Self { link, view: View::default() })
    }

    /// The next message; `None` after the last one.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::ConnectionLost`] and [`Error::Protocol`]; the walk is over
    /// then.
    pub async fn next(&mut self) -> Option<Result<Received, Error>> {
        loop {
            if let Some(received) = self.view.waiting.pop_front() {
                return Some(Ok(received));
            }
            if self.view.is_ended {
                return None;
            }
            if let Err(error) = self.look().await {
                self.view.is_ended = true;
                return Some(Err(error));
            }
        }
    }

    async fn look(&mut self) -> Result<(), Error> {
        let Self { link, view } = self;
        link.flush(Instant::now())?;
        link.ready().await.map_err(Error::connection_lost)?;
        link.turn(Instant::now(), |frame| view.on_frame(frame))
    }
}

impl View {
    fn on_frame(&mut self, frame: &FrameRef<'_>) -> Result<(), Error> {
        match frame.command() {
            Command::Message if frame.header("browser").as_deref() == Some("end") => {
                self.is_ended = true;
            }
            Command::Message => self.waiting.push_back(Received::new(frame)),
            Command::Error => return Err(Error::Refused(read_refusal(frame))),
            other => {
                let problem = format!("{} came while browsing", other.as_str());
                return Err(Error::protocol(problem));
            }
        }
        Ok(())
    }
}
