//! Replays the fuzzer's entry on mutations of the known cases, the same ones at every run.

use crate::selector::{Selector, SelectorErrorKind, Strings, fuzz_one};

const MUTATIONS: usize = 50_000;
const SEED: u64 = 0x5e1e_c704;

const WORDS: [&str; 24] = [
    " AND ",
    " OR ",
    " NOT ",
    "(",
    ")",
    " IN (",
    " LIKE '%_%'",
    " ESCAPE '!'",
    " IS NULL",
    " BETWEEN ",
    "=",
    "<>",
    "<",
    "+",
    "-",
    "*",
    "/",
    "%",
    "'",
    "\"",
    "9223372036854775808",
    "1e308",
    ".",
    "é",
];

/// Marsaglia's xorshift with 64 bits.
struct Generator(u64);

impl Generator {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`; 0 when that is 0.
    fn below(&mut self, bound: usize) -> usize {
        let random = usize::try_from(self.next() >> 32).unwrap_or_default();
        random.checked_rem(bound).unwrap_or_default()
    }
}

fn mutate(bytes: &mut Vec<u8>, other: &[u8], generator: &mut Generator) {
    let at = generator.below(bytes.len());
    match generator.below(6) {
        0 => drop(bytes.drain(at..)),
        1 => drop(bytes.splice(at..at, WORDS[generator.below(WORDS.len())].bytes())),
        2 => bytes.extend_from_slice(&other[generator.below(other.len())..]),
        3 => bytes.extend_from_within(at..),
        4 if !bytes.is_empty() => bytes[at] = generator.below(256) as u8,
        _ if !bytes.is_empty() => drop(bytes.remove(at)),
        _ => {}
    }
}

/// The selectors of the table of cases.
fn cases() -> impl Iterator<Item = &'static str> {
    let rows = include_str!("../cases.txt").lines().filter_map(|line| line.split_once(" | "));
    rows.map(|(text, _)| text).filter(|text| !text.starts_with('#'))
}

#[test]
fn survives_mutations() {
    let cases: Vec<&str> = cases().collect();
    let mut generator = Generator(SEED);
    let mut parsed = 0;
    for _ in 0..MUTATIONS {
        let mut bytes = cases[generator.below(cases.len())].as_bytes().to_vec();
        for _ in 0..=generator.below(4) {
            let other = cases[generator.below(cases.len())].as_bytes();
            mutate(&mut bytes, other, &mut generator);
        }
        fuzz_one(&bytes);
        parsed += usize::from(check_round_trip(&bytes));
    }
    assert!(parsed > MUTATIONS / 10, "only {parsed} mutations reached the evaluator");
}

/// Whether the bytes are a selector. What parses is written back and parses to the same tree,
/// unless its added parentheses and escapes exceed a bound.
fn check_round_trip(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Ok(selector) = Selector::parse(&text, Strings::Convert) else { return false };
    let written = selector.condition.to_string();
    match Selector::parse(&written, selector.strings()) {
        Ok(again) => assert_eq!(selector.condition, again.condition, "{text}\n{written}"),
        Err(error) => assert!(
            matches!(
                error.kind,
                SelectorErrorKind::TooDeep | SelectorErrorKind::TextTooLong { .. }
            ),
            "{text}\n{written}\n{error}"
        ),
    }
    true
}

#[test]
fn survives_single_words() {
    for word in WORDS {
        fuzz_one(word.as_bytes());
        fuzz_one(format!("a {word} b").as_bytes());
    }
    fuzz_one(b"");
    fuzz_one(&[0xff, 0x00, 0x27]);
}
