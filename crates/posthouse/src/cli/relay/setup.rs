//! Setting a request table up. This needs no node, only the database.

use clap::{Args, ValueEnum};
use posthouse_relay::source::{Dialect, SourceErrorKind, schema};

use crate::codes::Code;
use crate::failure::Failure;

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Its address: sqlite:FILE, postgres://USER:PASSWORD@HOST/DATABASE, or the same with mysql://
    /// or mariadb://.
    #[arg(long, value_name = "URL", env = "POSTHOUSE_RELAY_URL", hide_env_values = true)]
    url: String,
}

/// In whose words.
#[derive(Debug, Args)]
pub(crate) struct Ddl {
    /// The kind of database.
    #[arg(long, value_enum)]
    dialect: DialectName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DialectName {
    Sqlite,
    Postgres,
    /// Of MySQL and of MariaDB.
    #[value(alias = "mariadb")]
    Mysql,
}

impl Init {
    pub(super) fn run(self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::unexpected(error.to_string()))?;
        let made = runtime.block_on(schema::init(&self.url));
        made.map_err(|error| {
            let code = match error.kind {
                SourceErrorKind::Unfit => Code::SourceUnusable,
                _ => Code::SourceUnreachable,
            };
            let help = "check the address, and whether its user may create tables";
            Failure::new(code, error.to_string(), help)
        })?;
        eprintln!("the relay's tables are there");
        Ok(())
    }
}

impl Ddl {
    pub(super) fn run(self) -> Result<(), Failure> {
        let dialect = match self.dialect {
            DialectName::Sqlite => Dialect::Sqlite,
            DialectName::Postgres => Dialect::Postgres,
            DialectName::Mysql => Dialect::Mysql,
        };
        print!("{}", schema::ddl(dialect));
        Ok(())
    }
}
