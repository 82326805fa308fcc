//! What somebody probably meant.

/// The nearest of `candidates` to `word`, if it is near enough to be worth a question.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let distance_max = (word.chars().count() / 3).max(2);
    let rank = |candidate: &&str| strsim::damerau_levenshtein(word, candidate);
    let best = candidates.iter().copied().min_by_key(rank)?;
    (rank(&best) <= distance_max).then_some(best)
}
