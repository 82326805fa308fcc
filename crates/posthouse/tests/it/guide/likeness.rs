//! Whether something was printed as a guide shows it.

/// Stands for anything in a line, and alone in one for any lines.
const ANYTHING: &str = "…";

/// Whether these lines are what is shown, from the first to the last.
pub(super) fn are_alike(shown: &[&str], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first.trim() == ANYTHING => {
            (0..=printed.len()).any(|skipped| are_alike(rest, &printed[skipped..]))
        }
        Some((first, rest)) => match printed.split_first() {
            Some((line, others)) => is_alike(first, line) && are_alike(rest, others),
            None => false,
        },
    }
}

/// How many lines it takes from the beginning until all is there that is shown.
pub(super) fn length(shown: &[&str], printed: &[String]) -> Option<usize> {
    (0..=printed.len()).find(|length| are_alike(shown, &printed[..*length]))
}

fn is_alike(shown: &str, printed: &str) -> bool {
    let (shown, printed) = (with_single_blanks(shown), with_single_blanks(printed));
    let Some((begin, rest)) = shown.split_once(ANYTHING) else {
        return shown == printed;
    };
    let Some(mut left) = printed.strip_prefix(begin.trim_end()) else { return false };
    let mut parts: Vec<&str> = rest.split(ANYTHING).collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = left.split_once(part.trim()) else { return false };
        left = after;
    }
    left.ends_with(end.trim_start())
}

fn with_single_blanks(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_shown_may_leave_things_out() {
    let check = |shown: &[&str], printed: &[&str], expected: bool| {
        let printed: Vec<String> = printed.iter().map(ToString::to_string).collect();
        assert_eq!(are_alike(shown, &printed), expected, "{shown:?} {printed:?}");
    };
    check(&[], &[], true);
    check(&[], &["a"], false);
    check(&["a  b"], &["a b "], true);
    check(&["a b"], &["a c"], false);
    check(&["a … d"], &["a b c d"], true);
    check(&["a … d"], &["a b c"], false);
    check(&["… b … d"], &["a b c d"], true);
    check(&["… c … b …"], &["a b c d"], false);
    check(&["a …"], &["a"], true);
    check(&["…", "b"], &["a", "a", "b"], true);
    check(&["a", "…"], &["a", "b"], true);
    check(&["…", "b"], &["b", "a"], false);
    assert_eq!(length(&["…", "b"], &["a".into(), "b".into(), "c".into()]), Some(2));
    assert_eq!(length(&["b"], &["a".into()]), None);
}
