//! A request to receive messages.

use posthouse_wire::stomp::{Command, FrameWriter, Version};

use crate::error::Error;
use crate::message::{check_header, check_headers};
use crate::options::{Options, check_prefetch};

/// When a message counts as dealt with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Ack {
    /// When [`Subscription::next`](crate::Subscription::next) has handed it out.
    #[default]
    Auto,
    /// When the program says so, for each message on its own.
    Individual,
}

/// What to receive, and how.
#[derive(Clone, Debug)]
pub struct Subscribe {
    pub(crate) destination: String,
    pub(crate) ack: Ack,
    prefetch: Option<u32>,
    selector: Option<String>,
    durable: Option<String>,
    headers: Vec<(String, String)>,
}

/// Headers that have another place in the API, or that the client itself has to set.
const RESERVED: [&str; 5] = ["ack", "browser", "destination", "id", "receipt"];
/// ActiveMQ's headers for what STOMP does not know.
pub(crate) const SUBSCRIPTION_NAME: &str = "activemq.subscriptionName";
const PREFETCH: &str = "activemq.prefetchSize";

impl Subscribe {
    /// To a queue, or to a topic, in which `*` and `>` may stand for parts of the name.
    pub fn to(destination: impl Into<String>) -> Self {
        Self {
            destination: destination.into(),
            ack: Ack::default(),
            prefetch: None,
            selector: None,
            durable: None,
            headers: Vec::new(),
        }
    }

    /// When messages count as dealt with.
    pub fn ack(mut self, ack: Ack) -> Self {
        self.ack = ack;
        self
    }

    /// How many messages may be here and not acknowledged, from 1 to
    /// [`PREFETCH_MESSAGES_MAX`](crate::PREFETCH_MESSAGES_MAX).
    pub fn prefetch(mut self, messages: u32) -> Self {
        self.prefetch = Some(messages);
        self
    }

    /// Which messages are wanted, as a JMS selector such as `colour = 'red' AND weight > 5`.
    pub fn selector(mut self, selector: impl Into<String>) -> Self {
        self.selector = Some(selector.into());
        self
    }

    /// The name of a durable subscription to a topic: it is kept while nobody receives from it.
    /// Needs [`Options::client_id`](crate::Options::client_id).
    pub fn durable(mut self, name: impl Into<String>) -> Self {
        self.durable = Some(name.into());
        self
    }

    /// Adds a header to the SUBSCRIBE frame, for what has no method here.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn prefetch_or(&self, usual: u32) -> u32 {
        self.prefetch.unwrap_or(usual)
    }

    pub(crate) fn check(&self, options: &Options) -> Result<(), Error> {
        let selector = self.selector.as_deref().unwrap_or_default();
        let durable = self.durable.as_deref().unwrap_or_default();
        let fixed_bytes = check_header("destination", &self.destination)?
            + check_header("selector", selector)?
            + check_header(SUBSCRIPTION_NAME, durable)?;
        check_headers(fixed_bytes, &self.headers, &RESERVED)?;
        if self.durable.is_some() && options.client_id.is_none() {
            let problem = "a durable subscription is kept under the client's name; choose one \
                           with Options::client_id";
            return Err(Error::invalid(problem));
        }
        check_prefetch(self.prefetch_or(options.prefetch))
    }

    /// Appends the SUBSCRIBE frame. Messages are acknowledged one by one whatever the program
    /// chose: only then does the server hold to the prefetch.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        id: u64,
        receipt: &str,
        prefetch: u32,
    ) -> Result<(), Error> {
        let mut frame = FrameWriter::new(out, Version::V1_2, Command::Subscribe);
        frame.header_number("id", id)?.header("ack", "client-individual")?;
        frame.header("receipt", receipt)?;
        self.write_rest(frame, self.prefetch_or(prefetch))
    }

    /// Appends a SUBSCRIBE frame that only looks; it needs no acknowledgements.
    pub(crate) fn write_browse(&self, out: &mut Vec<u8>, prefetch: u32) -> Result<(), Error> {
        let mut frame = FrameWriter::new(out, Version::V1_2, Command::Subscribe);
        frame.header_number("id", 1)?.header("ack", "auto")?.header("browser", "true")?;
        self.write_rest(frame, self.prefetch_or(prefetch))
    }

    fn write_rest(&self, mut frame: FrameWriter<'_>, prefetch: u32) -> Result<(), Error> {
        frame.header("destination", &self.destination)?;
        frame.header_number(PREFETCH, u64::from(prefetch))?;
        if let Some(selector) = &self.selector {
            frame.header("selector", selector)?;
        }
        if let Some(name) = &self.durable {
            frame.header(SUBSCRIPTION_NAME, name)?;
        }
        for (name, value) in &self.headers {
            frame.header(name, value)?;
        }
        frame.finish();
        Ok(())
    }
}
