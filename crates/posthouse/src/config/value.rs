//! Readable values: durations and sizes with their units.

/// Milliseconds of the units of durations.
const DURATIONS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Bytes of the units of sizes.
const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads a duration such as `250ms`, in milliseconds.
pub(crate) fn duration_ms(text: &str) -> Option<u64> {
    measured(text, &DURATIONS)
}

/// Reads a size such as `64 MiB`, in bytes.
pub(crate) fn size_bytes(text: &str) -> Option<u64> {
    measured(text, &SIZES)
}

/// A duration in its largest unit that divides it.
pub(crate) fn duration_text(ms: u64) -> String {
    let fits = |unit: &&(&str, u64)| ms >= unit.1 && ms.is_multiple_of(unit.1);
    match DURATIONS.iter().rev().find(fits) {
        Some((unit, length)) => format!("{}{unit}", ms / length),
        None => "0s".into(),
    }
}

fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::{duration_ms, duration_text, size_bytes};

    #[test]
    fn durations_are_read_and_written() {
        let cases = [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("5 m", Some(300_000)),
            ("2h", Some(7_200_000)),
            ("7d", Some(604_800_000)),
            ("0s", Some(0)),
            ("30", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("1 fortnight", None),
            ("99999999999999999999d", None),
            ("18446744073709551615d", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(duration_ms(text), expected, "{text:?}");
        }
        for text in ["250ms", "30s", "5m", "2h", "7d", "90s", "0s"] {
            assert_eq!(duration_ms(text).map(duration_text).as_deref(), Some(text));
        }
    }

    #[test]
    fn sizes_are_read() {
        let cases = [
            ("512 B", Some(512)),
            ("64KiB", Some(65_536)),
            ("16 MiB", Some(16 << 20)),
            ("1 GB", Some(1_000_000_000)),
            ("1 gib", None),
            ("12", None),
            ("MiB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(size_bytes(text), expected, "{text:?}");
        }
    }
}
