//! The statements of the filler, in each dialect.

use crate::source::base::Dialect;

/// Numbers begin anew, so that every run reads the same ids.
pub(super) fn clearing(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "TRUNCATE relay_request RESTART IDENTITY",
        Dialect::Mysql => "TRUNCATE relay_request",
        Dialect::Sqlite => {
            "DELETE FROM relay_request; DELETE FROM sqlite_sequence WHERE name = 'relay_request'"
        }
    }
}

/// The statement that writes made-up requests into the relay's own table.
pub(super) fn filling(dialect: Dialect) -> String {
    let body = match dialect {
        Dialect::Postgres => "convert_to(body, 'UTF8')",
        Dialect::Mysql => "body",
        Dialect::Sqlite => "CAST(body AS BLOB)",
    };
    format!(
        "INSERT INTO relay_request (code, business_id, body) \
         SELECT code, business_id, {body} FROM {} ORDER BY n",
        made(dialect)
    )
}

/// Made-up requests as a table. The values: 1 the code, 2 the first number, 3 the last one, 4 the
/// keys, 5 what fills the bodies up.
pub(super) fn made(dialect: Dialect) -> String {
    let (series, body) = match dialect {
        Dialect::Postgres => (
            "generate_series(CAST($2 AS BIGINT), CAST($3 AS BIGINT)) AS series(n)",
            "lpad(to_hex(n % m), 8, '0') || lpad(to_hex(n / m), 16, '0') || CAST($5 AS TEXT)",
        ),
        Dialect::Mysql => (
            "(WITH RECURSIVE step(n) AS (SELECT CAST($2 AS BIGINT) UNION ALL \
             SELECT n + 1 FROM step WHERE n < $3) SELECT n FROM step) AS series",
            "lower(concat(lpad(hex(n % m), 8, '0'), lpad(hex(n DIV m), 16, '0'), $5))",
        ),
        Dialect::Sqlite => (
            "(WITH RECURSIVE step(n) AS (SELECT $2 UNION ALL SELECT n + 1 FROM step WHERE n < $3) \
             SELECT n FROM step) AS series",
            "printf('%08x%016x', n % m, n / m) || $5",
        ),
    };
    format!(
        "(SELECT n, CAST($1 AS VARCHAR(64)) AS code, \
         CASE WHEN k > 0 THEN CAST($1 AS VARCHAR(64)) || '-' || CAST(n % m AS VARCHAR(20)) END \
         AS business_id, {body} AS body \
         FROM (SELECT n, k, CASE WHEN k > 0 THEN k ELSE 1 END AS m \
         FROM {series} CROSS JOIN (SELECT CAST($4 AS BIGINT) AS k) AS given) AS numbered) AS made"
    )
}
