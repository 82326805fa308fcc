//! A private database server for measuring and trying: commits wait for the disk, it listens on a
//! free loopback port, and it is gone with its files when its input ends. Prints the address of
//! each database that is named.
//!
//! `cargo run --release -p posthouse-relay --features fixture --example database_server -- \
//! postgres one other`

use std::io::{self, Read as _, Write as _};

use posthouse_relay::fixture::{Durability, MariadbServer, PostgresServer};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection};

const USAGE: &str = "name `postgres` or `mariadb`, and the databases to make in it";

/// Gone when it is dropped.
enum Server {
    Postgres(PostgresServer),
    Mariadb(MariadbServer),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (kind, names) = words.split_first().ok_or(USAGE)?;
    let server = match kind.as_str() {
        "postgres" => Server::Postgres(PostgresServer::start_with(Durability::Synced)?),
        "mariadb" => Server::Mariadb(MariadbServer::start_with(Durability::Synced, &[])?),
        _ => return Err(USAGE.into()),
    };
    for name in names {
        println!("{}", make(&server, name).await?);
    }
    io::stdout().flush()?;
    // Whoever started it holds the other end.
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Makes a database and answers with its address.
async fn make(server: &Server, name: &str) -> Result<String, Box<dyn std::error::Error>> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if name.is_empty() || !is_plain {
        return Err(format!("{name:?} is no name: use small letters").into());
    }
    let statement = sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")));
    let url = match server {
        Server::Postgres(server) => {
            statement.execute(&mut PgConnection::connect(&server.url()).await?).await?;
            server.url()
        }
        Server::Mariadb(server) => {
            statement.execute(&mut MySqlConnection::connect(&server.url()).await?).await?;
            server.url()
        }
    };
    let server = url.rsplit_once('/').map_or(url.as_str(), |(server, _)| server);
    Ok(format!("{server}/{name}"))
}
