//! Instants of an adopted table, and how they become Unix milliseconds and back.

use super::quoting::literal;
use crate::source::base::Dialect;

/// How a column tells an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instant {
    /// As Unix milliseconds.
    Milliseconds,
    /// So that everybody knows which it is.
    Zoned,
    /// As a clock shows it, of which the zone is not said.
    Unzoned,
    /// Not at all.
    None,
}

/// How a column of a type tells an instant. SQLite has no type for one, and texts in it mean
/// whatever their writer meant.
pub(super) fn instant_of(dialect: Dialect, kind: &str) -> Instant {
    let is_number = kind.contains("int") && !kind.contains("interval") && !kind.contains("point");
    match (dialect, kind) {
        _ if is_number => Instant::Milliseconds,
        (Dialect::Postgres, "timestamp with time zone") => Instant::Zoned,
        (Dialect::Postgres, "timestamp without time zone" | "date") => Instant::Unzoned,
        (Dialect::Mysql, "timestamp") => Instant::Zoned,
        (Dialect::Mysql, "datetime" | "date") => Instant::Unzoned,
        (Dialect::Sqlite, _) => Instant::Unzoned,
        _ => Instant::None,
    }
}

/// Unix milliseconds of an instant.
pub(super) fn zoned(dialect: Dialect, raw: &str) -> String {
    match dialect {
        Dialect::Mysql => format!("CAST(floor(unix_timestamp({raw}) * 1000) AS BIGINT)"),
        Dialect::Postgres | Dialect::Sqlite => {
            format!("CAST(extract(epoch FROM {raw}) * 1000 AS BIGINT)")
        }
    }
}

/// Unix milliseconds of what a clock in a zone shows.
pub(super) fn unzoned(dialect: Dialect, raw: &str, zone: &str) -> String {
    let named = literal(dialect, zone);
    match dialect {
        Dialect::Postgres => zoned(
            dialect,
            &format!("(CAST({raw} AS timestamp without time zone) AT TIME ZONE {named})"),
        ),
        Dialect::Mysql => format!(
            "(timestampdiff(MICROSECOND, '1970-01-01', \
             convert_tz({raw}, {}, '+00:00')) DIV 1000)",
            literal(dialect, mysql_zone(zone))
        ),
        Dialect::Sqlite => format!(
            "CASE WHEN typeof({raw}) = 'integer' THEN {raw} ELSE \
             CAST(round((julianday({raw}) - 2440587.5) * 86400000.0) AS INTEGER) - {} END",
            offset_ms(zone).unwrap_or(0)
        ),
    }
}

/// The value of a column that is told an instant, of Unix milliseconds.
pub(super) fn written(dialect: Dialect, kind: &str, zone: Option<&str>, ms: &str) -> String {
    let zone = zone.unwrap_or("UTC");
    match (dialect, instant_of(dialect, kind)) {
        (_, Instant::Milliseconds | Instant::None) => ms.to_owned(),
        (Dialect::Postgres, Instant::Zoned) => format!("to_timestamp({ms} / 1000.0)"),
        (Dialect::Postgres, _) => {
            format!("(to_timestamp({ms} / 1000.0) AT TIME ZONE {})", literal(dialect, zone))
        }
        (Dialect::Mysql, Instant::Zoned) => format!("from_unixtime({ms} / 1000)"),
        (Dialect::Mysql, _) => format!(
            "convert_tz('1970-01-01' + INTERVAL {ms} * 1000 MICROSECOND, '+00:00', {})",
            literal(dialect, mysql_zone(zone))
        ),
        (Dialect::Sqlite, _) => format!(
            "strftime('%Y-%m-%d %H:%M:%f', ({ms} + {}) / 1000.0, 'unixepoch')",
            offset_ms(zone).unwrap_or(0)
        ),
    }
}

/// UTC by a name that needs no table of zones.
pub(super) fn mysql_zone(zone: &str) -> &str {
    if ["UTC", "utc", "Z", "GMT"].contains(&zone) { "+00:00" } else { zone }
}

/// How far an offset such as `+02:00` lies before UTC; `None` for the name of a zone.
pub(super) fn offset_ms(zone: &str) -> Option<i64> {
    if mysql_zone(zone) == "+00:00" {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
    let is_possible = (0..=14).contains(&hours) && (0..60).contains(&minutes);
    is_possible.then_some(sign * (hours * 60 + minutes) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::offset_ms;

    #[test]
    fn offsets_are_read() {
        for (zone, expected) in [
            ("UTC", Some(0)),
            ("+02:00", Some(7_200_000)),
            ("-05:30", Some(-19_800_000)),
            ("Europe/Berlin", None),
            ("+99:00", None),
        ] {
            assert_eq!(offset_ms(zone), expected, "{zone}");
        }
    }
}
