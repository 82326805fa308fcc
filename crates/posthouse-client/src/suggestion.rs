//! What somebody probably meant by a word that is not known.

/// The most letters of a word that is worth comparing.
const WORD_LETTERS_MAX: usize = 64;

/// The candidate that differs least from `word`, if it differs by no more than a third.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let letters = word.chars().count();
    if letters > WORD_LETTERS_MAX {
        return None;
    }
    let word = word.to_lowercase();
    let ranked = candidates.iter().map(|candidate| {
        let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
        (distance, *candidate)
    });
    let (distance, candidate) = ranked.min_by_key(|(distance, _)| *distance)?;
    (distance <= (letters / 3).max(2)).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let words = ["randomize", "maxReconnectDelay", "initialReconnectDelay"];
        let cases = [
            ("randomise", Some("randomize")),
            ("maxreconnectdelay", Some("maxReconnectDelay")),
            ("maxReconectDelay", Some("maxReconnectDelay")),
            ("colour", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, &words), expected, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(1 << 20), &words), None);
    }
}
