//! A bare loop of bytes, without any meaning: what one socket brings is written to all others. It
//! does what every broker has to do at least, so that it shows what the machine can do at most.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use super::peer::READ_BYTES;
use crate::failure::Failure;

/// A loop on a thread of its own; it ends when its sockets do.
#[derive(Debug)]
pub(super) struct Bare {
    pub(super) address: SocketAddr,
    thread: JoinHandle<()>,
}

impl Bare {
    /// Starts a loop that takes `consumers` connections, and then one that it reads from.
    pub(super) fn start(consumers: usize) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::unexpected(format!("no bare loop: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let thread = thread::Builder::new().name("bare".into()).spawn(move || {
            // The other side sees that its connections end, and says so.
            let _ = pass_on(&listener, consumers);
        });
        Ok(Self { address, thread: thread.map_err(failed)? })
    }

    /// Waits for the end, after the sockets are closed.
    pub(super) fn join(self) {
        // It has nothing to tell that its sockets have not told.
        let _ = self.thread.join();
    }
}

fn pass_on(listener: &TcpListener, consumers: usize) -> io::Result<()> {
    let accept = || listener.accept().map(|(stream, _)| stream);
    let outs: Vec<TcpStream> = (0..consumers).map(|_| accept()).collect::<io::Result<_>>()?;
    let mut input = accept()?;
    for stream in &outs {
        stream.set_nodelay(true)?;
    }
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let count = input.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        for mut out in &outs {
            out.write_all(buffer.get(..count).unwrap_or_default())?;
        }
    }
}
