//! Why there is no connection to a database, in the words of whoever has to act.
//!
//! A pool that waits for a server which refuses, or has no answer, says no more than that its time
//! was up. Then one connection is tried beside it, only to hear why. An address is told by host and
//! port, or by file; never by what else stands in it.

use std::time::Duration;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Error};

use crate::source::error::{SourceError, SourceErrorKind};
use crate::source::limits::{ACQUIRE_MAX, PROBE_MAX};

/// Why a pool of `target` has given no connection.
pub(super) async fn postgres(target: &PgConnectOptions, error: Error) -> SourceError {
    let place = match target.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", target.get_host(), target.get_port()),
    };
    probe(target, &Place { place, kind: "PostgreSQL" }, error).await
}

/// Why a pool of `target` has given no connection.
pub(super) async fn mysql(target: &MySqlConnectOptions, error: Error) -> SourceError {
    let place = match target.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", target.get_host(), target.get_port()),
    };
    match error {
        // The one thing that is known only then: that a password cannot be sent in the clear.
        Error::Configuration(_) => SourceError::unfit(format!(
            "{place} wants the password over TLS: write ?ssl-mode=REQUIRED behind the address, or \
             switch TLS on at the server"
        )),
        error => probe(target, &Place { place, kind: "MySQL or MariaDB" }, error).await,
    }
}

/// What a connection was to be had from.
struct Place {
    place: String,
    kind: &'static str,
}

/// Tries one connection, if all that is known is that there was none for too long.
async fn probe<C: Connection>(
    target: &impl ConnectOptions<Connection = C>,
    place: &Place,
    error: Error,
) -> SourceError {
    match error {
        Error::PoolTimedOut => match tokio::time::timeout(PROBE_MAX, target.connect()).await {
            Ok(Ok(connection)) => {
                let _ = tokio::time::timeout(PROBE_MAX, connection.close()).await;
                all_in_use(ACQUIRE_MAX)
            }
            Ok(Err(error)) => explain(place, &error),
            Err(_) => unavailable(format!("{} does not answer as a database would", place.place)),
        },
        error => explain(place, &error),
    }
}

/// Why a pool of `target` has given no connection.
pub(super) fn sqlite(target: &SqliteConnectOptions, error: &Error) -> SourceError {
    match error {
        Error::PoolTimedOut => all_in_use(ACQUIRE_MAX),
        error => {
            let file = target.get_filename();
            let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
            SourceError::from_sqlx(error).while_doing(&format!("the file {}", whole.display()))
        }
    }
}

fn explain(at: &Place, error: &Error) -> SourceError {
    let Place { place, kind } = at;
    match error {
        Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => unavailable(
            format!("what answers at {place} ends the connection at once; is it {kind}?"),
        ),
        Error::Io(error) => unavailable(format!("{place} cannot be reached: {error}")),
        Error::Tls(error) => unavailable(format!("no TLS with {place}: {error}")),
        Error::Protocol(error) => {
            unavailable(format!("what answers at {place} is no {kind}: {error}"))
        }
        error => SourceError::from_sqlx(error),
    }
}

fn all_in_use(waited: Duration) -> SourceError {
    unavailable(format!(
        "all connections of this node to the database were in use for {waited:?}; what holds them \
         is slow"
    ))
}

fn unavailable(detail: String) -> SourceError {
    SourceError { kind: SourceErrorKind::Unavailable, detail }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use crate::source::base::{Base, Door, Options};

    /// What is told of an address that a connection cannot be had from.
    async fn check(url: &str, expected: &str) {
        let base = Base::open(url, &Options::default()).unwrap();
        let told = base.single(Door::Work).await.err().unwrap().to_string();
        assert!(told.contains(expected), "{url}: {told}");
        assert!(!told.contains("secret") && !told.contains("pool"), "{told}");
        base.close().await;
    }

    #[tokio::test]
    async fn the_true_cause_is_told() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let refused = format!("postgres://me:secret@{free}/db");
        let expected = format!("{free} cannot be reached: Connection refused");
        let unknown = "postgres://me:secret@nowhere.invalid/db";
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let unanswered = format!("postgres://me:secret@{}/db", silent.local_addr().unwrap());
        let other = other_server().await;
        let other_mysql = other.replace("postgres:", "mysql:");
        let refused_mysql = refused.replace("postgres:", "mariadb:");
        tokio::join!(
            check(&refused, &expected),
            check(unknown, "nowhere.invalid:5432 cannot be reached: "),
            check(&unanswered, "does not answer as a database would"),
            check(&other, "is no PostgreSQL"),
            check(&refused_mysql, &expected),
            check(&other_mysql, "is it MySQL or MariaDB?"),
            check("sqlite:/nowhere/requests.db", "the file /nowhere/requests.db: unable to open"),
        );
    }

    /// A server that speaks first, and something else.
    async fn other_server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://me:secret@{}/db", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            }
        });
        url
    }
}
