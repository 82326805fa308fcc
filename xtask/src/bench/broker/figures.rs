//! What one run of `posthouse bench --output csv` has told.

use std::fmt;

use anyhow::{Context, Result, bail};

/// The figures that are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figures {
    /// Messages a second that consumers have received, all together.
    pub(super) received_per_s: f64,
    /// Processor time of the server, in microseconds a message.
    pub(super) server_cpu_us: f64,
}

impl Figures {
    /// Reads a heading and a line of values. A run that has lost anything is void.
    pub(super) fn read(csv: &str) -> Result<Figures> {
        let mut lines = csv.lines();
        let (Some(names), Some(values)) = (lines.next(), lines.next()) else {
            bail!("the bench has told nothing:\n{csv}");
        };
        let value = |wanted: &str| {
            let place = names.split(',').position(|name| name == wanted);
            let value = place.and_then(|place| values.split(',').nth(place));
            let value = value.and_then(|value| value.parse::<f64>().ok());
            value.with_context(|| format!("the bench has not told `{wanted}`:\n{csv}"))
        };
        for wrong in ["lost", "duplicated", "misordered"] {
            if value(wrong)? > 0.0 {
                bail!("the run is void, for messages were {wrong}:\n{csv}");
            }
        }
        Ok(Figures {
            received_per_s: value("received_per_s")?,
            server_cpu_us: value("server_cpu_us")?,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}/s ({:.1} µs)", self.received_per_s, self.server_cpu_us)
    }
}

/// The run in the middle by its rate; of an even number the lower one.
pub(super) fn median(mut runs: Vec<Figures>) -> Figures {
    runs.sort_by(|one, other| one.received_per_s.total_cmp(&other.received_per_s));
    let middle = runs.len().saturating_sub(1) / 2;
    runs.get(middle).copied().unwrap_or(Figures { received_per_s: 0.0, server_cpu_us: 0.0 })
}

#[cfg(test)]
mod tests {
    use super::{Figures, median};

    fn figures(received_per_s: f64) -> Figures {
        Figures { received_per_s, server_cpu_us: 1.5 }
    }

    #[test]
    fn a_run_is_read() {
        let csv = "scenario,received_per_s,server_cpu_us,lost,duplicated,misordered\nqueue,10,1.5,";
        assert_eq!(Figures::read(&format!("{csv}0,0,0\n")).ok(), Some(figures(10.0)));
        assert!(Figures::read(&format!("{csv}1,0,0\n")).is_err(), "something was lost");
        assert!(Figures::read("received_per_s\n10\n").is_err(), "the rest is not told");
        assert!(Figures::read("").is_err());
    }

    #[test]
    fn the_middle_is_taken() {
        let of = |rates: &[f64]| median(rates.iter().copied().map(figures).collect());
        assert_eq!(of(&[3.0, 1.0, 2.0]), figures(2.0));
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]), figures(2.0));
    }
}
