//! What one run of `posthouse bench relay --output csv` has told.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};

/// What may be wrong with a run.
const WRONGS: [&str; 4] = ["lost", "duplicated", "overtaken", "unsettled"];

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) scenario: &'static str,
    pub(super) system: &'static str,
    pub(super) round: usize,
    figures: BTreeMap<String, f64>,
}

impl Told {
    /// Reads a heading and a line of values.
    pub(super) fn read(
        scenario: &'static str,
        system: &'static str,
        round: usize,
        csv: &str,
    ) -> Result<Told> {
        let mut lines = csv.lines();
        let (Some(names), Some(values)) = (lines.next(), lines.next()) else {
            bail!("the bench has told nothing");
        };
        let pairs = names.split(',').zip(values.split(','));
        let figure = |(name, value): (&str, &str)| Some((name.to_owned(), value.parse().ok()?));
        let told = Told { scenario, system, round, figures: pairs.filter_map(figure).collect() };
        for needed in WRONGS {
            if told.get(needed).is_none() {
                bail!("the bench has not told `{needed}`:\n{csv}");
            }
        }
        Ok(told)
    }

    /// A figure, where it was told.
    pub(super) fn get(&self, name: &str) -> Option<f64> {
        self.figures.get(name).copied()
    }

    /// All of them.
    pub(super) fn figures(&self) -> impl Iterator<Item = (&str, f64)> {
        self.figures.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// What went wrong, in words; empty if nothing did.
    pub(super) fn wrongs(&self) -> String {
        let counts = WRONGS.map(|name| (name, self.get(name).unwrap_or(0.0)));
        let wrong = counts.iter().filter(|(_, count)| *count > 0.0);
        wrong.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, round {}, {}:", self.scenario, self.round, self.system)?;
        let shown = [
            ("delivered_per_s", "/s"),
            ("latency_us.p50", " µs p50"),
            ("latency_us.p99", " µs p99"),
            ("server_cpu_us", " µs of the sender"),
            ("database_cpu_us", " µs of the database"),
            ("dead_rows_each", " dead rows"),
        ];
        for (name, unit) in shown {
            if let Some(value) = self.get(name) {
                write!(f, " {value}{unit}")?;
            }
        }
        write!(f, " {}", self.wrongs())
    }
}

#[cfg(test)]
mod tests {
    use super::Told;

    const CSV: &str = "scenario,delivered_per_s,lost,duplicated,overtaken,unsettled\nordered,10,";

    #[test]
    fn a_run_is_read_with_what_went_wrong() {
        let read = |csv: &str| Told::read("ordered", "a", 1, csv);
        let told = read(&format!("{CSV}0,0,3,1\n")).expect("everything is there");
        assert_eq!(told.get("delivered_per_s"), Some(10.0));
        assert_eq!(told.get("scenario"), None);
        assert_eq!(told.wrongs(), "3 overtaken, 1 unsettled");
        let told = read(&format!("{CSV}0,0,0,0\n")).expect("everything is there");
        assert_eq!(told.wrongs(), "");
        assert!(read("delivered_per_s\n10\n").is_err(), "the rest is not told");
        assert!(read("").is_err());
    }
}
