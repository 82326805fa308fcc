//! From a server's address to a connection that is logged in.

use posthouse_wire::stomp::{Command, FrameRef, FrameWriter, HeartBeat, Version};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::address::Server;
use crate::error::{Error, Refusal};
use crate::link::Link;
use crate::options::Options;

/// Letters of an ERROR frame's body that are kept.
const DETAIL_LETTERS_MAX: usize = 1_024;
const CODE_BYTES: usize = 6;

/// Connects and logs in.
///
/// # Errors
/// [`Error::Unreachable`], [`Error::LoginRefused`] and [`Error::Protocol`].
pub(crate) async fn log_in(server: &Server, options: &Options) -> Result<Link, Error> {
    let unreachable = |reason: String| Error::Unreachable {
        server: server.to_string().into(),
        reason: reason.into(),
    };
    match timeout(options.connect_timeout, shake_hands(server, options)).await {
        Ok(Ok(link)) => Ok(link),
        Ok(Err(Error::ConnectionLost { reason })) => Err(unreachable(reason.into())),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(unreachable(format!("no answer within {:?}", options.connect_timeout))),
    }
}

async fn shake_hands(server: &Server, options: &Options) -> Result<Link, Error> {
    let place = (server.host.as_str(), server.port);
    let stream = TcpStream::connect(place).await.map_err(Error::connection_lost)?;
    stream.set_nodelay(true).map_err(Error::connection_lost)?;
    let mut link = Link::new(stream, Instant::now());
    write_connect(&mut link.out, server, options)?;
    let mut agreed = None;
    link.flush(Instant::now())?;
    while agreed.is_none() {
        link.ready().await.map_err(Error::connection_lost)?;
        link.turn(Instant::now(), |frame| {
            agreed = Some(read_answer(frame, options.heart_beat)?);
            Ok(())
        })?;
    }
    link.set_heart_beat(Instant::now(), agreed.unwrap_or_default());
    Ok(link)
}

fn write_connect(out: &mut Vec<u8>, server: &Server, options: &Options) -> Result<(), Error> {
    let mut frame = FrameWriter::new(out, Version::V1_2, Command::Connect);
    frame.header("accept-version", Version::V1_2.as_str())?.header("host", &server.host)?;
    frame.header_display("heart-beat", options.heart_beat)?;
    if let Some((user, password)) = server.login.as_ref().or(options.login.as_ref()) {
        frame.header("login", user)?.header("passcode", password)?;
    }
    if let Some(name) = &options.client_id {
        frame.header("client-id", name)?;
    }
    frame.finish();
    Ok(())
}

fn read_answer(frame: &FrameRef<'_>, ours: HeartBeat) -> Result<HeartBeat, Error> {
    match frame.command() {
        Command::Connected => {}
        Command::Error => return Err(Error::LoginRefused(read_refusal(frame))),
        other => return Err(Error::protocol(format!("{} came before CONNECTED", other.as_str()))),
    }
    if frame.header("version").as_deref() != Some(Version::V1_2.as_str()) {
        return Err(Error::protocol("it does not speak STOMP 1.2"));
    }
    let theirs = match frame.header("heart-beat") {
        Some(text) => HeartBeat::parse(&text).map_err(|e| Error::protocol(e.to_string()))?,
        None => HeartBeat::NONE,
    };
    Ok(HeartBeat::agree(ours, theirs))
}

/// Reads what an ERROR frame says. Posthouse begins the message with a code.
pub(crate) fn read_refusal(frame: &FrameRef<'_>) -> Refusal {
    let message = frame.header("message").unwrap_or_default();
    let code = message.get(..CODE_BYTES).filter(|code| is_code(code)).map(Into::into);
    let detail = String::from_utf8_lossy(frame.body()).chars().take(DETAIL_LETTERS_MAX).collect();
    Refusal { code, message: message.into(), detail }
}

fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix("PH").unwrap_or_default();
    digits.len() == CODE_BYTES - 2 && digits.bytes().all(|byte| byte.is_ascii_digit())
}
