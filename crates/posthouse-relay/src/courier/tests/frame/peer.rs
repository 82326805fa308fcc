//! The receiver's end of connections, for a test to play.

use bytes::BytesMut;
use posthouse_net::Stream;
use posthouse_wire::frame::{Answer, Decoder, Frame, Hello, Outcome, Request, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(super) struct Listener {
    pub(super) port: u16,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

pub(super) struct Peer {
    stream: Stream,
    input: BytesMut,
    decoder: Decoder,
}

impl Listener {
    pub(super) async fn new() -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Listener { port: listener.local_addr().unwrap().port(), listener, tls: None }
    }

    pub(super) async fn with_tls(acceptor: TlsAcceptor) -> Listener {
        Listener { tls: Some(acceptor), ..Listener::new().await }
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> Peer {
        let (stream, _) = self.listener.accept().await.unwrap();
        let stream: Stream = match &self.tls {
            Some(acceptor) => Box::new(acceptor.accept(stream).await.unwrap()),
            None => Box::new(stream),
        };
        Peer { stream, input: BytesMut::new(), decoder: Decoder { bytes_max: 1 << 25 } }
    }

    /// The next connection, once both sides have greeted.
    pub(super) async fn greet(&self) -> Peer {
        self.greet_with(Hello::new("test", 1 << 20, 5_000)).await
    }

    pub(super) async fn greet_with(&self, hello: Hello) -> Peer {
        let mut peer = self.accept().await;
        let theirs = peer.next().await;
        assert!(matches!(theirs, Some(Frame::Hello(_))), "{theirs:?}");
        peer.send(&Frame::Hello(hello)).await;
        peer
    }
}

impl Peer {
    /// The next frame; `None` at the end of the connection.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.decoder.next(&mut self.input).unwrap() {
                return Some(frame);
            }
            if self.stream.read_buf(&mut self.input).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// The next request, and its number.
    pub(super) async fn request(&mut self) -> (u64, Request) {
        match self.next().await {
            Some(Frame::Request { number, request }) => (number, *request),
            other => panic!("{other:?} is no request"),
        }
    }

    pub(super) async fn send(&mut self, frame: &Frame) {
        let mut out = BytesMut::new();
        encode(frame, &mut out);
        self.send_bytes(&out).await;
    }

    pub(super) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub(super) async fn answer(&mut self, number: u64, outcome: Outcome) {
        self.send(&Frame::Answer { number, answer: Answer::new(outcome) }).await;
    }

    /// Takes the next request.
    pub(super) async fn take(&mut self) -> Request {
        let (number, request) = self.request().await;
        self.answer(number, Outcome::Done).await;
        request
    }
}
