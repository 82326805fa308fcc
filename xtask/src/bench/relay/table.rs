//! The runs as tables: one in Markdown for each scenario, and all of them for a spreadsheet.

use std::collections::BTreeSet;

use super::Scenario;
use super::system::SYSTEMS;
use super::told::Told;

/// All runs, a line each.
pub(super) fn csv(tolds: &[Told]) -> String {
    let names = tolds.iter().flat_map(|told| told.figures().map(|(name, _)| name));
    let names: BTreeSet<&str> = names.collect();
    let mut text = String::from("scenario,system,round");
    names.iter().for_each(|name| text += &format!(",{name}"));
    for told in tolds {
        text += &format!("\n{},{},{}", told.scenario, told.system, told.round);
        for name in &names {
            let value = told.get(name).map(|value| value.to_string());
            text += &format!(",{}", value.unwrap_or_default());
        }
    }
    text + "\n"
}

/// One scenario, a line for each system: the run in the middle, and the lowest and highest.
pub(super) fn markdown(scenario: &Scenario, tolds: &[Told]) -> String {
    let of = |system: &str| -> Vec<&Told> {
        let chosen = tolds.iter().filter(|told| told.scenario == scenario.name);
        chosen.filter(|told| told.system == system).collect()
    };
    let key = if scenario.is_timed { "latency_us.p50" } else { "delivered_per_s" };
    let lines: Vec<(&str, Vec<&Told>)> =
        SYSTEMS.iter().map(|system| (system.name, sorted(of(system.name), key))).collect();
    let first = lines.first().and_then(|(_, runs)| middle(runs)).and_then(|run| run.get(key));
    let mut text = String::new();
    for (name, runs) in &lines {
        let Some(run) = middle(runs) else { continue };
        if text.is_empty() {
            text = head(scenario);
        }
        let value = run.get(key).unwrap_or(0.0);
        let ratio =
            first.map(|first| if scenario.is_timed { value / first } else { first / value });
        let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}"));
        let number = |name: &str| run.get(name).map_or("".into(), |value| format!("{value:.1}"));
        let told = if scenario.is_timed { times(run) } else { rates(runs, key) };
        text += &format!(
            "| {name} | {told} | {ratio} | {} | {} | {} | {} | {} |\n",
            number("server_cpu_us"),
            number("database_cpu_us"),
            number("dead_rows_each"),
            number("memory_peak_mib"),
            run.wrongs(),
        );
    }
    text
}

fn head(scenario: &Scenario) -> String {
    let told = if scenario.is_timed { "p50, p99, ms" } else { "delivered/s (lowest, highest)" };
    format!(
        "\n{}\n\n| system | {told} | times Posthouse's | sender's CPU, µs a request \
         | database's CPU, µs | dead rows a request | sender's memory, MiB | wrong |\n\
         |---|---|---|---|---|---|---|---|\n",
        scenario.title
    )
}

fn rates(runs: &[&Told], key: &str) -> String {
    let rate = |run: Option<&&Told>| run.and_then(|run| run.get(key)).unwrap_or(0.0);
    let (low, high) = (rate(runs.first()), rate(runs.last()));
    format!("{:.0} ({low:.0}, {high:.0})", rate(middle(runs).as_ref()))
}

fn times(run: &Told) -> String {
    let ms = |name: &str| run.get(name).map_or("none".into(), |us| format!("{:.1}", us / 1_000.0));
    format!("{}, {}", ms("latency_us.p50"), ms("latency_us.p99"))
}

fn sorted<'a>(mut runs: Vec<&'a Told>, key: &str) -> Vec<&'a Told> {
    let figure = |run: &Told| run.get(key).unwrap_or(0.0);
    runs.sort_by(|one, other| figure(one).total_cmp(&figure(other)));
    runs
}

/// The run in the middle; of an even number the lower one.
fn middle<'a>(runs: &[&'a Told]) -> Option<&'a Told> {
    runs.get(runs.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::super::SCENARIOS;
    use super::{Told, csv, markdown};

    fn told(system: &'static str, round: usize, rate: u64, overtaken: u64) -> Told {
        let names = "delivered_per_s,server_cpu_us,lost,duplicated,overtaken,unsettled";
        let text = format!("{names}\n{rate},1.5,0,0,{overtaken},0\n");
        Told::read("ordered", system, round, &text).expect("everything is there")
    }

    #[test]
    fn the_middle_is_told_and_compared() {
        let tolds = [
            told("Posthouse", 1, 100, 0),
            told("Posthouse", 2, 300, 0),
            told("Posthouse", 3, 200, 0),
            told("graphile-worker 0.16.6", 1, 20, 7),
        ];
        let text = markdown(&SCENARIOS[0], &tolds);
        let lines: Vec<&str> = text.lines().skip(5).collect();
        let expected = [
            "| Posthouse | 200 (100, 300) | 1.0 | 1.5 |  |  |  |  |",
            "| graphile-worker 0.16.6 | 20 (20, 20) | 10.0 | 1.5 |  |  |  | 7 overtaken |",
        ];
        assert_eq!(lines, expected, "{text}");
        assert_eq!(markdown(&SCENARIOS[1], &tolds), "");
        let line = csv(&tolds).lines().nth(4).map(str::to_owned);
        let expected = "ordered,graphile-worker 0.16.6,1,20,0,0,7,1.5,0";
        assert_eq!(line.as_deref(), Some(expected));
    }
}
