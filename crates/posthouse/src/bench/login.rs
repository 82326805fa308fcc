//! Connections that are ready to be measured.

use std::net::SocketAddr;
use std::time::Duration;

use posthouse_wire::stomp::{Command, EncodeError, FrameRef, FrameWriter, Version};
use rustix::event::poll;
use rustix::time::Timespec;

use super::peer::{Peer, Receiver};
use super::plan::Plan;
use crate::codes::Code;
use crate::failure::Failure;

/// How long to wait for a broker's answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The receipt that the handshakes ask for.
const READY: &str = "ready";

/// Where and as whom to log in.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) address: SocketAddr,
    pub(super) login: Option<(String, String)>,
}

impl Access {
    /// Connects and logs in.
    pub(super) fn log_in(&self, scratch: &mut Vec<u8>) -> Result<Peer, Failure> {
        let mut peer = self.begin()?;
        await_frame(&mut peer, scratch, Command::Connected)?;
        Ok(peer)
    }

    /// Connects and asks to be logged in, without waiting for the answer.
    pub(super) fn begin(&self) -> Result<Peer, Failure> {
        let mut peer = Peer::connect(self.address)?;
        write_connect(&mut peer.out, self.login.as_ref()).map_err(|error| unwritable(&error))?;
        peer.flush()?;
        Ok(peer)
    }
}

fn unwritable(error: &EncodeError) -> Failure {
    Failure::new(Code::RequestInvalid, error.to_string(), "")
}

fn write_connect(out: &mut Vec<u8>, login: Option<&(String, String)>) -> Result<(), EncodeError> {
    let mut frame = FrameWriter::new(out, Version::V1_2, Command::Connect);
    frame.header("accept-version", Version::V1_2.as_str())?.header("host", "/")?;
    frame.header("heart-beat", "0,0")?;
    if let Some((user, password)) = login {
        frame.header("login", user)?.header("passcode", password)?;
    }
    frame.finish();
    Ok(())
}

/// Subscribes, and waits until that is confirmed.
pub(super) fn subscribe(
    peer: &mut Peer,
    scratch: &mut Vec<u8>,
    destination: &str,
    plan: &Plan,
) -> Result<(), Failure> {
    write_subscribe(&mut peer.out, destination, plan).map_err(|error| unwritable(&error))?;
    peer.flush()?;
    await_frame(peer, scratch, Command::Receipt)
}

fn write_subscribe(out: &mut Vec<u8>, destination: &str, plan: &Plan) -> Result<(), EncodeError> {
    let mut frame = FrameWriter::new(out, Version::V1_2, Command::Subscribe);
    frame.header("id", "1")?.header("destination", destination)?;
    frame.header("ack", plan.ack.as_str())?.header("receipt", READY)?;
    if let Some(prefetch) = plan.prefetch {
        frame.header_number("activemq.prefetchSize", u64::from(prefetch))?;
        frame.header_number("prefetch-count", u64::from(prefetch))?;
    }
    frame.finish();
    Ok(())
}

/// Waits for a frame of that command. Others may come before it: RabbitMQ sends messages before the
/// receipt of the subscription.
pub(super) fn await_frame(
    peer: &mut Peer,
    scratch: &mut Vec<u8>,
    command: Command,
) -> Result<(), Failure> {
    let mut expectation = Expectation { command, has_come: false };
    while !expectation.has_come {
        let timeout = Timespec::try_from(ANSWER_TIMEOUT).unwrap_or_default();
        let ready = poll(&mut [peer.interest()], Some(&timeout));
        if ready.is_ok_and(|count| count == 0) {
            let what = format!("the broker sent no {} frame", command.as_str());
            return Err(Failure::new(Code::AnswerInvalid, what, "look into the broker's log"));
        }
        peer.on_writable();
        peer.flush()?;
        peer.read(scratch, &mut expectation)?;
    }
    Ok(())
}

/// Waits for one frame.
struct Expectation {
    command: Command,
    has_come: bool,
}

impl Receiver for Expectation {
    fn skim(&mut self, _: &[u8]) -> Result<usize, Failure> {
        Ok(0)
    }

    fn take(&mut self, frame: &FrameRef<'_>, _: usize, _: &mut Vec<u8>) -> Result<(), Failure> {
        self.has_come |= frame.command() == self.command;
        Ok(())
    }
}
