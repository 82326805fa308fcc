//! Checks that are asked otherwise: which server it is, how it is set, what its user may do.

use crate::source::base::{CommitOrder, Options, Value, Work};
use crate::source::error::SourceError;
use crate::source::limits::MYSQL_PACKET_BYTES_MIN;
use crate::source::prepare::{Holds, Table, cannot_be_written, missing_right};
use crate::source::schema::OPEN_INDEX;

/// The columns of a table with their types. A type says what else is wrong with it: that it has no
/// negative numbers, or compares texts otherwise than byte for byte.
pub(in crate::source) const TYPES: &str = "\
    SELECT column_name AS name, concat(data_type, \
    CASE WHEN column_type LIKE '%unsigned%' THEN ' unsigned' ELSE '' END, \
    CASE WHEN collation_name NOT IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin') \
    THEN concat(' with the collation ', collation_name) ELSE '' END) AS type \
    FROM information_schema.columns WHERE table_schema = database() AND table_name = $1";

/// Whether there is an index with a name, on the columns that it is to have.
pub(in crate::source) const INDEX: &str = "\
    SELECT count(*) AS found FROM (SELECT index_name AS name, \
    group_concat(column_name ORDER BY seq_in_index) AS columns \
    FROM information_schema.statistics WHERE table_schema = database() \
    AND table_name = 'relay_request' AND index_name = $1 GROUP BY index_name) AS made \
    WHERE concat(name, ' ', columns) IN ('relay_request_open is_open,id,slot', \
    'relay_request_slot open_slot,id', 'relay_request_blocked is_blocked,id', \
    'relay_request_key_seq number_key,key_seq', 'relay_request_key_open open_key,key_seq')";

/// Whether a column of a type can hold what it must.
pub(in crate::source) fn is_fit(holds: Holds, found: &str) -> bool {
    let types: &[&str] = match holds {
        Holds::Numbers => &["tinyint", "smallint", "mediumint", "int", "bigint"],
        Holds::Texts => &["char", "varchar", "text", "mediumtext", "longtext"],
        Holds::Bytes => &["blob", "mediumblob", "longblob"],
    };
    types.contains(&found)
}

/// The first version of each server that knows everything that is said to it.
const MARIADB_MIN: [u32; 3] = [10, 6, 0];
const MYSQL_MIN: [u32; 3] = [8, 0, 17];

/// Whether a server is new enough.
pub(in crate::source) async fn check_version(work: &mut Work) -> Result<(), SourceError> {
    let text = "SELECT version() AS version".to_owned();
    let told = work.row(text, Vec::new()).await?.text("version")?;
    too_old(&told).map_or(Ok(()), |problem| Err(SourceError::unfit(problem)))
}

/// What is wrong with a server that says this of itself, if anything.
fn too_old(told: &str) -> Option<String> {
    let (name, needed) = match told.contains("MariaDB") {
        true => ("MariaDB", MARIADB_MIN),
        false => ("MySQL", MYSQL_MIN),
    };
    let [major, minor, patch] = needed;
    (version_of(told) < needed).then(|| {
        format!(
            "the server is {told}, and {name} {major}.{minor}.{patch} or later is needed: update \
             the server"
        )
    })
}

/// The numbers at the beginning of what a server says of itself.
fn version_of(told: &str) -> [u32; 3] {
    let numbers = told.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    let mut version = [0; 3];
    for (place, number) in version.iter_mut().zip(numbers) {
        *place = number;
    }
    version
}

/// Whether a server is set so that it can be worked with.
pub(in crate::source) async fn check_server(
    work: &mut Work,
    options: &Options,
) -> Result<(), SourceError> {
    if options.order == CommitOrder::Xid {
        return Err(SourceError::unfit(
            "the order `xid` is for PostgreSQL: neither MySQL nor MariaDB tells which transactions \
             are still open; the order `key_seq` does the same by numbers",
        ));
    }
    check_version(work).await?;
    check_log(work).await?;
    check_packet(work).await?;
    check_engine(work).await
}

/// By statements, a server can only write down what every copy of it would do in the same way, and
/// refuses what the relay does.
async fn check_log(work: &mut Work) -> Result<(), SourceError> {
    let is_logged = setting(work, "log_bin").await?.is_some_and(|value| value == "ON");
    let format = setting(work, "binlog_format").await?;
    match is_logged && format.is_some_and(|format| format == "STATEMENT") {
        false => Ok(()),
        true => Err(SourceError::unfit(
            "the server writes its binary log by statements (`binlog_format`), and then refuses \
             to change rows as the relay does: set it to MIXED or ROW",
        )),
    }
}

/// What the relay writes at once must fit. Bodies are what the server has taken from writers.
async fn check_packet(work: &mut Work) -> Result<(), SourceError> {
    match packet_bytes(work).await? {
        found if found >= MYSQL_PACKET_BYTES_MIN => Ok(()),
        found => Err(SourceError::unfit(format!(
            "the server takes at most {found} bytes at once (`max_allowed_packet`), and \
             {MYSQL_PACKET_BYTES_MIN} are needed: raise it"
        ))),
    }
}

async fn setting(work: &mut Work, name: &str) -> Result<Option<String>, SourceError> {
    let text = format!("SHOW VARIABLES WHERE Variable_name = '{name}'");
    let rows = work.rows(text, Vec::new()).await?;
    rows.first().map_or(Ok(None), |row| row.maybe_text("Value"))
}

/// Whether a server takes a body, with what goes with it: what is too much ends the connection, and
/// nobody is told why.
pub(in crate::source) async fn check_body(
    work: &mut Work,
    bytes: usize,
) -> Result<(), SourceError> {
    let needed = MYSQL_PACKET_BYTES_MIN.saturating_add(bytes as u64);
    if bytes < BODY_BYTES_UNASKED {
        return Ok(());
    }
    match packet_bytes(work).await? {
        found if found >= needed => Ok(()),
        found => Err(SourceError::refused(format!(
            "the body has {bytes} bytes, and the server takes at most {found} at once \
             (`max_allowed_packet`), with what goes with it: raise it there"
        ))),
    }
}

/// Bytes of a body that every server takes.
const BODY_BYTES_UNASKED: usize = 512 << 10;

async fn packet_bytes(work: &mut Work) -> Result<u64, SourceError> {
    let found = setting(work, "max_allowed_packet").await?;
    Ok(found.and_then(|value| value.parse().ok()).unwrap_or(u64::MAX))
}

/// Other engines know no transactions.
async fn check_engine(work: &mut Work) -> Result<(), SourceError> {
    let text = "SELECT table_name AS name, engine AS engine FROM information_schema.tables \
                WHERE table_schema = database() AND table_name LIKE 'relay\\_%' \
                AND table_type = 'BASE TABLE' AND engine <> 'InnoDB' LIMIT 1";
    let rows = work.rows(text.to_owned(), Vec::new()).await?;
    match rows.first() {
        None => Ok(()),
        Some(row) => Err(SourceError::unfit(format!(
            "the table `{name}` has the engine {}, which knows no transactions: run `ALTER TABLE \
             {name} ENGINE = InnoDB`",
            row.text("engine")?,
            name = row.text("name")?
        ))),
    }
}

/// The user of the connection, as a `GRANT` names it.
pub(in crate::source) async fn user(work: &mut Work) -> Result<String, SourceError> {
    let text = "SELECT current_user() AS who".to_owned();
    let who = work.row(text, Vec::new()).await?.text("who")?;
    let (user, host) = who.rsplit_once('@').unwrap_or((&who, "%"));
    Ok(format!("'{user}'@'{host}'"))
}

/// Nobody can ask whether there is a right; so it is tried out.
pub(in crate::source) async fn check_right(
    work: &mut Work,
    table: &Table,
    right: &str,
    columns: &[&str],
) -> Result<(), SourceError> {
    let is_denied = work.is_denied(&trial(table, right, columns)).await;
    match is_denied.map_err(cannot_be_written)? {
        false => Ok(()),
        true => Err(missing_right(table.name, right, columns, &user(work).await?)),
    }
}

/// A statement that needs a right on a table, and changes nothing.
fn trial(table: &Table, right: &str, columns: &[&str]) -> String {
    let (name, any) = (table.name, table.any_column());
    let same = |column: &&str| format!("{column} = {column}");
    let changes: Vec<String> = match columns {
        [] => vec![same(&any)],
        columns => columns.iter().map(same).collect(),
    };
    match right {
        "INSERT" => {
            let all = table.columns();
            format!("INSERT INTO {name} ({all}) SELECT {all} FROM {name} WHERE 1 = 0")
        }
        "UPDATE" => format!("UPDATE {name} SET {} WHERE 1 = 0", changes.join(", ")),
        "DELETE" => format!("DELETE FROM {name} WHERE 1 = 0"),
        _ => format!("SELECT {any} FROM {name} LIMIT 0"),
    }
}

/// How a statement would be carried out: of each step the kind, the table, its index and what else
/// is done.
pub(in crate::source) async fn steps_of(
    work: &mut Work,
    text: &str,
    values: Vec<Value>,
) -> Result<Vec<String>, SourceError> {
    let rows = work.rows(format!("EXPLAIN FORMAT=TRADITIONAL {text}"), values).await?;
    let mut steps = Vec::new();
    for row in &rows {
        let cell = |name| Ok::<_, SourceError>(row.maybe_text(name)?.unwrap_or_default());
        let (kind, table) = (cell("type")?, cell("table")?);
        steps.push(format!("{kind} {table} {} {}", cell("key")?, cell("Extra")?));
    }
    Ok(steps)
}

/// Names of the request table in the statements of reads.
const NAMES: [&str; 8] = ["relay_request", "r", "b", "m", "t", "lowest", "former", "ended"];

/// Whether a step walks over the whole table, over a whole index, or over all open requests, from
/// wherever the walk is to begin.
pub(in crate::source) fn is_whole_walk(step: &str) -> bool {
    let mut words = step.split(' ').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    let (kind, table, index) = (word(), word(), word());
    let is_over_open = kind == "ref" && index == OPEN_INDEX;
    let is_over_all = ["ALL", "index"].contains(&&*kind) && NAMES.contains(&&*table);
    is_over_open || is_over_all
}

#[cfg(test)]
mod tests {
    use super::{is_whole_walk, too_old, version_of};

    #[test]
    fn walks_without_an_end_are_told() {
        for (step, expected) in [
            ("ALL r  Using where", true),
            ("index relay_request PRIMARY Using index", true),
            ("ref relay_request relay_request_open Using where; Using index", true),
            ("range relay_request relay_request_open Using where; Using index", false),
            ("ALL <derived2>  Using filesort", false),
            ("eq_ref r PRIMARY ", false),
        ] {
            assert_eq!(is_whole_walk(step), expected, "{step}");
        }
    }

    fn check(told: &str, expected: [u32; 3]) {
        assert_eq!(version_of(told), expected, "{told}");
    }

    fn check_age(told: &str, expected: &str) {
        let problem = too_old(told).unwrap_or_default();
        let is_as_expected = problem.is_empty() == expected.is_empty();
        assert!(is_as_expected && problem.contains(expected), "{told}: {problem}");
    }

    #[test]
    fn old_servers_are_refused() {
        check_age("10.6.0-MariaDB", "");
        check_age("11.4.2-MariaDB-ubu2404", "");
        check_age("8.0.17", "");
        check_age("9.2.0-commercial", "");
        check_age("10.5.29-MariaDB", "MariaDB 10.6.0 or later is needed");
        check_age("8.0.16", "MySQL 8.0.17 or later is needed");
        check_age("5.7.44-log", "MySQL 8.0.17");
        check_age("8.0.11-TiDB-v7.5.0", "the server is 8.0.11-TiDB-v7.5.0");
    }

    #[test]
    fn versions_begin_with_their_numbers() {
        check("10.11.19-MariaDB-0+deb12u1", [10, 11, 19]);
        check("8.0.17", [8, 0, 17]);
        check("8.4.3-3", [8, 4, 3]);
        check("9.1", [9, 1, 0]);
        check("", [0, 0, 0]);
    }
}
