//! What somebody probably meant.

/// How different a suggestion may be: a third of the letters, and at least two.
fn distance_max(word: &str) -> usize {
    (word.chars().count() / 3).max(2)
}

/// The nearest of `candidates` to `word`, if one is near enough or goes on where `word` stops.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let rank = |candidate: &str| {
        let goes_on = lower.len() >= 3 && candidate.starts_with(&lower);
        if goes_on { 0 } else { strsim::damerau_levenshtein(&lower, candidate) }
    };
    let ranked = candidates.map(|candidate| (rank(candidate), candidate));
    let best = ranked.min_by_key(|(distance, _)| *distance)?;
    (best.0 <= distance_max(word)).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let words = ["heart_beat_send", "listen", "plaintext"];
        let cases = [
            ("heart_beat_snd", Some("heart_beat_send")),
            ("heart_beat", Some("heart_beat_send")),
            ("lisetn", Some("listen")),
            ("LISTEN", Some("listen")),
            ("colour", None),
            ("x", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, words.into_iter()), expected, "{word}");
        }
    }
}
