//! The first frame: version, name, heart-beats.

use posthouse_core::command::{Applied, Command as CoreCommand};
use posthouse_core::driver::Driver;
use posthouse_core::time::Now;

use super::fault::Fault;
use super::{Phase, Session};
use crate::stomp::{Command, FrameRef, FrameWriter, HeartBeat, Version};

impl Session {
    pub(super) fn on_first_frame(
        &mut self,
        now: Now,
        frame: &FrameRef<'_>,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        if !matches!(frame.command(), Command::Connect | Command::Stomp) {
            return Err(Fault::not_connected(frame.command()));
        }
        let version = Version::negotiate(frame.header("accept-version").as_deref())?;
        let theirs = match frame.header("heart-beat") {
            // A peer that speaks 1.0 is not bound to know of heart-beats.
            Some(text) if version > Version::V1_0 => HeartBeat::parse(&text)?,
            _ => HeartBeat::NONE,
        };
        let client = frame.header("client-id").filter(|name| !name.is_empty());
        let client: Option<Box<str>> = client.map(Into::into);
        let applied = driver.apply(now, CoreCommand::Attach { client: client.clone() })?;
        let Applied::Holder(holder) = applied else { unreachable!("attaching answers a holder") };
        self.version = version;
        self.heart_beat = HeartBeat::agree(self.config.heart_beat, theirs);
        self.client = client;
        self.login = frame.header("login").map(Into::into);
        self.holder = Some(holder);
        self.phase = Phase::Open;
        self.sent_ms = now.mono_ms;
        self.welcome(frame);
        Ok(())
    }

    fn welcome(&mut self, frame: &FrameRef<'_>) {
        let holder = self.holder.expect("just attached");
        let session = format!("{}-{}-{}", self.config.node, holder.0.index, holder.0.generation);
        let mut reply = FrameWriter::new(self.output.buffer(), self.version, Command::Connected);
        // CONNECTED is never escaped; what cannot be written in it is left out.
        let mut put = |name: &str, value: &str| drop(reply.header(name, value));
        put("version", self.version.as_str());
        put("server", &self.config.server);
        put("session", &session);
        if self.version > Version::V1_0 {
            put("heart-beat", &self.config.heart_beat.to_string());
        }
        if let Some(id) = frame.header("request-id") {
            put("response-id", &id);
        }
        reply.finish();
    }
}
