//! A small client of the admin API. It finds the node by its data directory, or is told.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::net::TcpStream;

use super::Global;
use super::explain::advice;
use crate::admin::Problem;
use crate::codes::Code;
use crate::data_dir::{Endpoints, Token, token_file};
use crate::exit::Exit;
use crate::failure::Failure;

/// How long one request may take.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// What need not be escaped in a part of a path or a query.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A node's admin API.
#[derive(Debug)]
pub(crate) struct Api {
    /// Host and port.
    authority: String,
    token: Token,
    runtime: tokio::runtime::Runtime,
}

impl Api {
    /// Finds the node that is meant.
    ///
    /// # Errors
    /// [`Code::NodeUnreachable`] when there is none, or no token for it.
    pub(crate) fn find(global: &Global) -> Result<Api, Failure> {
        let authority = match &global.server {
            Some(url) => authority_of(url)?,
            None => endpoint_of(global)?,
        };
        let path = match &global.token_file {
            Some(path) => path.clone(),
            None => token_file(&global.node_dir()?),
        };
        let token = Token::read(&path).map_err(|error| {
            let message = format!("the token file {} cannot be read: {error}", path.display());
            Failure::new(Code::LoginMissing, message, "name one with --token-file")
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::unexpected(error.to_string()))?;
        Ok(Api { authority, token, runtime })
    }

    /// Reads something. `path` begins behind `/api/v1`.
    ///
    /// # Errors
    /// What the node says, or that it says nothing.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.request(Method::GET, path)
    }

    /// Does something.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub(crate) fn post(&self, path: &str) -> Result<Value, Failure> {
        self.request(Method::POST, path)
    }

    /// Removes something.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub(crate) fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.request(Method::DELETE, path)
    }

    fn request(&self, method: Method, path: &str) -> Result<Value, Failure> {
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(REQUEST_TIME_MAX, self.exchange(method, path)).await
        });
        let (status, body) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.unreachable(&format!("{error:#}"))),
            Err(_) => return Err(self.unreachable("it does not answer in time")),
        };
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| self.not_understood(status));
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(failure_of(status, problem)),
            Err(_) => Err(self.not_understood(status)),
        }
    }

    async fn exchange(&self, method: Method, path: &str) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, &self.authority)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token.as_str()))
            .body(Empty::<Bytes>::new())?;
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        connection.abort();
        Ok((status, body.map_err(anyhow::Error::from_boxed)?.to_bytes()))
    }

    fn unreachable(&self, why: &str) -> Failure {
        let message = format!("the node at {} cannot be reached: {why}", self.authority);
        Failure::new(Code::NodeUnreachable, message, "`posthouse serve` starts a node")
    }

    fn not_understood(&self, status: StatusCode) -> Failure {
        let message = format!("{} answers {status} in a way that makes no sense", self.authority);
        let help = "check that --server names a Posthouse node of this version";
        Failure::new(Code::AnswerInvalid, message, help)
    }
}

/// Escapes a name for a path or a query.
pub(crate) fn escape(name: &str) -> String {
    utf8_percent_encode(name, &PLAIN).to_string()
}

fn authority_of(url: &str) -> Result<String, Failure> {
    let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    match authority {
        Some(authority) if !authority.is_empty() && !authority.contains(['/', '@', '?']) => {
            Ok(authority.to_owned())
        }
        _ => {
            let message = format!("\"{url}\" is not the address of a node");
            Err(Failure::new(Code::NodeUnreachable, message, "write it as http://127.0.0.1:8161"))
        }
    }
}

fn endpoint_of(global: &Global) -> Result<String, Failure> {
    let dir = global.node_dir()?;
    let endpoints = Endpoints::read(&dir).ok_or_else(|| super::no_node(&dir))?;
    Ok(endpoints.http.to_string())
}

fn failure_of(status: StatusCode, problem: Problem) -> Failure {
    let exit = match status.as_u16() {
        400 => Exit::Usage,
        401 | 403 => Exit::NotAllowed,
        404 => Exit::NotFound,
        409 | 412 => Exit::Conflict,
        503 | 504 => Exit::Unreachable,
        _ => Exit::Failed,
    };
    let help = advice(&problem.code);
    Failure { code: problem.code, exit, message: problem.detail, help }
}
