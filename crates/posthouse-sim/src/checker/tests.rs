//! Histories by hand: for each check some that it must pass and some that it must not. A check
//! that cannot fail would be worse than none.

use super::{Check, check};
use crate::history::History;

/// Checks `text` and compares the kinds of broken promises with `expected`.
#[track_caller]
fn expect(expected: &[Check], text: &str) {
    let history = History::from_text(text).expect("the history is well formed");
    let report = check(&history).expect("the history does not contradict itself");
    let mut found: Vec<Check> = report.violations.iter().map(|v| v.check).collect();
    found.dedup();
    assert_eq!(found, expected, "{report}\n{text}");
}

const SENT: &str = "1 1 open\n2 1 invoke 1 send key=1 to=/queue/q\n3 1 ok 1\n";
const CONSUMING: &str = "4 2 open\n5 2 invoke 2 subscribe consumer=1 to=/queue/q\n6 2 ok 2\n";

/// A confirmed message and a consumer, then `rest`.
fn queue(rest: &str) -> String {
    format!("{SENT}{CONSUMING}{rest}")
}

#[test]
fn what_is_confirmed_is_not_lost() {
    expect(&[Check::Lost], &queue("9 0 drained"));
    expect(&[], &queue("9 0 crash"));
    expect(
        &[],
        &queue(
            "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n\
                8 2 invoke 3 ack consumer=1 number=1\n\
                9 0 drained",
        ),
    );
    // Delivered is not consumed.
    expect(
        &[Check::Lost],
        &queue("7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n9 0 drained"),
    );
    // A refused acknowledgement is none.
    expect(
        &[Check::Lost],
        &queue(
            "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n\
                8 2 invoke 3 ack consumer=1 number=1\n\
                8 2 fail 3\n\
                9 0 drained",
        ),
    );
    // What has been set aside counts when it is found there.
    expect(
        &[],
        &queue(
            "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n\
                8 2 invoke 3 reject consumer=1 number=1\n\
                8 2 ok 3\n\
                8 2 invoke 4 subscribe consumer=2 to=/queue/DLQ.q mode=auto\n\
                9 2 deliver consumer=2 number=1 key=1 from=/queue/DLQ.q\n\
                9 0 drained",
        ),
    );
    expect(
        &[Check::Lost],
        &queue(
            "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n\
                8 2 invoke 3 reject consumer=1 number=1\n\
                8 2 ok 3\n\
                9 0 drained",
        ),
    );
    expect(
        &[],
        &format!(
            "rule to=/queue/q discards\n{}",
            queue(
                "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n\
                    8 2 invoke 3 reject consumer=1 number=1\n\
                    8 2 ok 3\n\
                    9 0 drained"
            )
        ),
    );
    // What was written to a consumer that does not acknowledge may not have been read.
    let cut_off = queue("8 2 close\n9 0 drained");
    expect(&[Check::Lost], &cut_off);
    expect(&[], &cut_off.replace("consumer=1 to", "consumer=1 mode=auto to"));
    // Purged, or dropped by policy.
    expect(&[], &queue("7 0 invoke 3 purge from=/queue/q\n9 0 drained"));
    expect(&[], &format!("rule to=/queue/q drops\n{}", queue("9 0 drained")));
}

#[test]
fn what_was_seen_was_safe() {
    let unconfirmed = "1 1 open\n2 1 invoke 1 send key=1 to=/queue/q\n";
    let seen = "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n8 0 crash\n9 0 drained";
    expect(&[], &format!("{unconfirmed}{CONSUMING}8 0 crash\n9 0 drained"));
    expect(&[Check::Lost], &format!("{unconfirmed}{CONSUMING}{seen}"));
    // Browsers see only what is safe, too, and consume nothing.
    let browsing = CONSUMING.replace("to=/queue/q", "to=/queue/q browse");
    expect(&[Check::Lost], &format!("{unconfirmed}{browsing}{seen}"));
    // Leaving in good order confirms everything before.
    let left = format!("{unconfirmed}3 1 invoke 9 disconnect\n4 1 ok 9\n4 1 close\n9 0 drained");
    expect(&[Check::Lost], &left);
}

#[test]
fn what_need_not_survive_may_go_in_a_crash() {
    let volatile =
        queue("8 0 crash\n9 0 drained").replace("to=/queue/q\n3", "to=/queue/q volatile\n3");
    expect(&[], &volatile);
    expect(&[Check::Lost], &volatile.replace("8 0 crash\n", ""));
    expect(&[], &format!("rule to=/queue/q volatile\n{}", queue("8 0 crash\n9 0 drained")));
}

#[test]
fn what_expired_is_set_aside_if_it_was_persistent() {
    let expired = queue("9 0 drained").replace("to=/queue/q\n3", "to=/queue/q expires_ms=8\n3");
    expect(&[Check::Lost], &expired);
    expect(&[], &expired.replace("expires_ms=8", "expires_ms=8 volatile"));
    expect(&[Check::Lost], &expired.replace("expires_ms=8", "expires_ms=80 volatile"));
}

#[test]
fn nothing_unknown_arrives() {
    let deliver = |key: u64, from: &str| {
        queue(&format!("7 2 deliver consumer=1 number=1 key={key} from={from}"))
    };
    expect(&[], &deliver(1, "/queue/q"));
    expect(&[Check::Unexpected], &deliver(2, "/queue/q"));
    expect(&[Check::Unexpected], &deliver(1, "/queue/other"));
    expect(&[Check::Unexpected], &deliver(1, "/queue/q").replace("3 1 ok 1", "3 1 fail 1"));
    let selective = |label: u32| {
        let wish = format!("subscribe consumer=1 label={label}");
        deliver(1, "/queue/q")
            .replace("subscribe consumer=1", &wish)
            .replace("key=1 to", "key=1 label=5 to")
    };
    expect(&[], &selective(5));
    expect(&[Check::Unexpected], &selective(4));
}

#[test]
fn credit_is_kept() {
    let rest = "\
7 1 invoke 8 send key=2 to=/queue/q
7 2 deliver consumer=1 number=1 key=1 from=/queue/q
8 2 invoke 3 ack consumer=1 number=1
9 2 deliver consumer=1 number=2 key=2 from=/queue/q";
    let text = queue(rest).replace("consumer=1 to", "consumer=1 prefetch=1 to");
    expect(&[], &text);
    expect(&[Check::Credit], &text.replace("8 2 invoke 3 ack consumer=1 number=1\n", ""));
}

#[test]
fn nothing_arrives_twice_without_a_reason() {
    let twice = |between: &str| {
        queue(&format!(
            "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n{between}\n\
             8 3 open\n8 3 invoke 20 subscribe consumer=2 to=/queue/q\n\
             9 3 deliver consumer=2 number=1 key=1 from=/queue/q redeliveries=1"
        ))
    };
    expect(&[Check::Duplicated], &twice(""));
    expect(&[], &twice("8 0 crash"));
    expect(&[], &twice("8 2 invoke 3 requeue consumer=1 number=1"));
    expect(&[Check::Duplicated], &twice("8 2 invoke 3 ack consumer=1 number=1"));
    expect(&[], &twice("8 2 close"));
    expect(&[], &twice("8 2 invoke 3 unsubscribe consumer=1"));
    // The node may know of the end of a connection before its client does.
    let cut = format!("{}\n9 2 invoke 30 ack consumer=1 number=1\n", twice(""));
    expect(&[], &format!("{cut}12 2 close"));
    expect(&[Check::Duplicated], &format!("{cut}11 2 ok 30\n12 2 close"));
    // What was on its way to somebody who is cut off may arrive late.
    let crossed = twice("").replace("redeliveries=1", "redeliveries=0\n9 3 close");
    expect(&[], &crossed);
    let alive = "redeliveries=0\n9 3 invoke 9 disconnect\n9 3 ok 9\n9 3 close";
    let crossed = twice("").replace("redeliveries=1", alive);
    expect(&[Check::Duplicated, Check::Redelivery], &crossed);
    // Received is acknowledged for those who do not acknowledge.
    let auto = twice("8 2 close").replace("consumer=1 to", "consumer=1 mode=auto to");
    expect(&[Check::Duplicated], &auto);
}

#[test]
fn what_is_sent_twice_under_one_number_arrives_once() {
    let sent = "1 1 open\n\
        2 1 invoke 1 send key=1 to=/queue/q dedup=1:1\n\
        3 1 close\n\
        3 1 open\n\
        3 1 invoke 5 send key=1 to=/queue/q dedup=1:1\n\
        3 1 ok 5\n";
    let once = "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n";
    expect(&[], &format!("{sent}{CONSUMING}{once}"));
    expect(
        &[Check::Duplicated, Check::Redelivery],
        &format!("{sent}{CONSUMING}{once}8 2 deliver consumer=1 number=2 key=1 from=/queue/q"),
    );
}

#[test]
fn acknowledged_stays_acknowledged() {
    let acked = |told: &str| {
        queue(&format!(
            "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n\
             7 2 invoke 3 ack consumer=1 number=1\n{told}\n8 0 crash\n\
             8 3 open\n8 3 invoke 20 subscribe consumer=2 to=/queue/q\n\
             9 3 deliver consumer=2 number=1 key=1 from=/queue/q redeliveries=1"
        ))
    };
    expect(&[], &acked(""));
    expect(&[Check::Unacknowledged], &acked("7 2 ok 3"));
    // What was on its way before to somebody who is cut off may arrive late.
    let told = "7 2 ok 3".to_owned();
    let late = acked(&told).replace("8 0 crash\n", "").replace("redeliveries=1", "redeliveries=0");
    expect(&[Check::Duplicated, Check::Unacknowledged, Check::Redelivery], &late);
    expect(&[], &format!("{late}\n9 3 close"));
    // Nothing is remembered through a crash about what need not survive one.
    let again = acked("7 2 ok 3").replace("to=/queue/q\n3", "to=/queue/q dedup=1:1 volatile\n3");
    expect(&[Check::Unacknowledged], &again);
    let resent = "8 1 invoke 50 send key=1 to=/queue/q dedup=1:1 volatile\n8 3 open";
    expect(&[], &again.replace("8 3 open", resent));
    let transacted = |told: &str| {
        let commit = format!("7 2 invoke 8 commit transaction=1\n{told}");
        acked(&commit)
            .replace("number=1\n7 2 invoke 8", "number=1 transaction=1\n7 2 invoke 8")
            .replace("7 2 invoke 3", "7 2 invoke 7 begin transaction=1\n7 2 invoke 3")
    };
    expect(&[], &transacted(""));
    expect(&[Check::Unacknowledged], &transacted("7 2 ok 8"));
}

#[test]
fn a_cumulative_acknowledgement_covers_what_was_before() {
    let text = queue(
        "\
7 1 invoke 8 send key=2 to=/queue/q
7 2 deliver consumer=1 number=1 key=1 from=/queue/q
7 2 deliver consumer=1 number=2 key=2 from=/queue/q
8 2 invoke 3 ack consumer=1 number=2
8 2 ok 3
9 2 close
10 3 open
10 3 invoke 20 subscribe consumer=2 to=/queue/q
11 3 deliver consumer=2 number=1 key=1 from=/queue/q redeliveries=1",
    );
    expect(&[], &text);
    let cumulative = text.replace("consumer=1 to", "consumer=1 mode=cumulative to");
    expect(&[Check::Unacknowledged], &cumulative);
}

#[test]
fn order_is_kept_for_a_consumer_that_is_alone() {
    let swapped = queue(
        "\
7 1 invoke 8 send key=2 to=/queue/q volatile
8 2 deliver consumer=1 number=1 key=2 from=/queue/q
9 2 deliver consumer=1 number=2 key=1 from=/queue/q",
    );
    expect(&[Check::Order], &swapped);
    expect(&[], &swapped.replace("key=2 to=", "key=2 priority=5 to="));
    expect(&[], &swapped.replace("7 1 invoke", "7 9 invoke"));
    let other = "5 3 invoke 9 subscribe consumer=9 to=/queue/>\n7 1 invoke 8";
    expect(&[], &swapped.replace("7 1 invoke 8", other));
    expect(
        &[Check::Order],
        &swapped.replace("7 1 invoke 8", &other.replace("/queue/>", "/queue/z")),
    );
    let early = "0 3 invoke 9 subscribe consumer=9 to=/queue/q\n0 3 close\n1 1 open";
    expect(&[], &swapped.replace("1 1 open", early));
    let long_ago = format!("terms detach_ms=0\n{}", swapped.replace("1 1 open", early));
    expect(&[Check::Order], &long_ago);
}

#[test]
fn subscribers_of_topics_get_everything_in_order() {
    let text = "\
1 2 open
2 2 invoke 1 subscribe consumer=1 to=/topic/t
3 2 ok 1
4 1 invoke 2 send key=1 to=/topic/t
5 1 ok 2
5 1 invoke 3 send key=2 to=/topic/t
5 1 ok 3
6 2 deliver consumer=1 number=1 key=1 from=/topic/t
7 2 deliver consumer=1 number=2 key=2 from=/topic/t
9 0 drained";
    let first = "6 2 deliver consumer=1 number=1 key=1 from=/topic/t\n";
    let second = "7 2 deliver consumer=1 number=2 key=2 from=/topic/t\n";
    expect(&[], text);
    expect(&[Check::Subscriber], &text.replace(first, ""));
    expect(&[Check::Subscriber], &text.replace(second, ""));
    expect(&[], &text.replace(second, "6 2 close\n"));
    expect(&[Check::Order], &text.replace(first, "").replace(second, &format!("{second}{first}")));
    // Where slow subscribers miss messages they are told how many.
    let skipped = format!("rule to=/topic/t skips\n{}", text.replace(first, ""));
    expect(&[Check::Subscriber], &skipped);
    expect(&[], &skipped.replace("7 2 deliver", "7 2 missed consumer=1 count=1\n7 2 deliver"));
    expect(
        &[Check::Duplicated, Check::Redelivery],
        &text.replace(second, &format!("{second}{second}")),
    );
    let own = text.replace("1 invoke 2", "2 invoke 2").replace("1 invoke 3", "2 invoke 3");
    expect(&[Check::Subscriber], &own.replace(first, ""));
    expect(&[], &own.replace(first, "").replace("to=/topic/t\n3 2", "to=/topic/t no_local\n3 2"));
}

#[test]
fn latecomers_get_nothing_old() {
    let text = "\
1 1 invoke 2 send key=1 to=/topic/t
2 1 ok 2
3 2 invoke 1 subscribe consumer=1 to=/topic/t
6 2 deliver consumer=1 number=1 key=1 from=/topic/t";
    expect(&[Check::Subscriber], text);
    expect(&[], &text.replace("2 1 ok 2\n", ""));
    expect(&[], &text.replace("consumer=1 to=", "consumer=1 durable=c/n to="));
}

#[test]
fn transactions_happen_whole() {
    let text = "\
1 1 invoke 1 begin transaction=1
2 1 invoke 2 send key=1 to=/queue/a transaction=1
3 1 invoke 3 send key=2 to=/queue/b transaction=1
4 1 invoke 4 commit transaction=1
5 2 invoke 5 subscribe consumer=1 to=/queue/> mode=auto
6 2 deliver consumer=1 number=1 key=1 from=/queue/a
7 2 deliver consumer=1 number=2 key=2 from=/queue/b
9 0 drained";
    expect(&[], text);
    let second = "7 2 deliver consumer=1 number=2 key=2 from=/queue/b\n";
    expect(&[Check::Atomicity], &text.replace(second, ""));
    let nothing = text.replace(second, "");
    expect(&[], &nothing.replace("6 2 deliver consumer=1 number=1 key=1 from=/queue/a\n", ""));
    // Once the commit is confirmed all of it is owed; once it is aborted nothing is.
    expect(
        &[Check::Lost, Check::Atomicity],
        &nothing.replace("5 2 invoke", "4 1 ok 4\n5 2 invoke"),
    );
    expect(&[Check::Unexpected], &text.replace("commit", "abort"));
    // Nothing is seen before the commit is asked for.
    let commit = "4 1 invoke 4 commit transaction=1\n";
    let late = text.replace(commit, "").replace("9 0", "8 1 invoke 4 commit transaction=1\n9 0");
    expect(&[Check::Early], &late);
}

#[test]
fn what_a_transaction_acknowledges_stays_away_once_its_messages_are_seen() {
    let text = queue(
        "\
7 2 deliver consumer=1 number=1 key=1 from=/queue/q
8 2 invoke 3 begin transaction=1
8 2 invoke 4 ack consumer=1 number=1 transaction=1
8 2 invoke 5 send key=2 to=/queue/out transaction=1
8 2 invoke 6 commit transaction=1
9 0 crash
9 2 close
10 3 invoke 8 subscribe consumer=2 to=/queue/> mode=auto
11 3 deliver consumer=2 number=1 key=1 from=/queue/q redeliveries=1
12 3 deliver consumer=2 number=2 key=2 from=/queue/out",
    );
    expect(&[Check::Atomicity], &text);
    let returned = "11 3 deliver consumer=2 number=1 key=1 from=/queue/q redeliveries=1\n";
    expect(&[], &text.replace(returned, ""));
    expect(&[], &text.replace("\n12 3 deliver consumer=2 number=2 key=2 from=/queue/out", ""));
}

#[test]
fn what_an_aborted_transaction_acknowledged_is_still_owed() {
    let text = queue(
        "\
7 2 deliver consumer=1 number=1 key=1 from=/queue/q
8 2 invoke 3 begin transaction=1
8 2 invoke 4 ack consumer=1 number=1 transaction=1
8 2 invoke 5 abort transaction=1
9 2 invoke 6 ack consumer=1 number=1
9 0 drained",
    );
    expect(&[], &text);
    expect(&[Check::Lost], &text.replace("9 2 invoke 6 ack consumer=1 number=1\n", ""));
}

#[test]
fn durable_subscriptions_are_complete() {
    let text = "\
1 2 invoke 1 subscribe consumer=1 to=/topic/t durable=c/n
2 2 ok 1
3 2 close
4 1 invoke 2 send key=1 to=/topic/t
5 1 ok 2
6 2 invoke 3 subscribe consumer=2 to=/topic/t durable=c/n mode=auto
7 2 ok 3
8 2 deliver consumer=2 number=1 key=1 from=/topic/t
9 0 drained";
    let delivered = "8 2 deliver consumer=2 number=1 key=1 from=/topic/t\n";
    expect(&[], text);
    let missed = text.replace(delivered, "");
    expect(&[Check::Incomplete], &missed);
    expect(&[], &missed.replace("2 2 ok 1\n", ""));
    expect(&[], &missed.replace("6 2 invoke", "5 2 invoke 9 forget durable=c/n\n6 2 invoke"));
    expect(&[], &missed.replace("to=/topic/t durable", "to=/topic/t label=3 durable"));
    expect(&[], &missed.replace("to=/topic/t durable", "to=/topic/u durable"));
    expect(&[], &missed.replace("5 1 ok 2\n", ""));
    // Seen by one is owed to all.
    let other = "4 3 invoke 8 subscribe consumer=8 to=/topic/t\n\
        5 3 deliver consumer=8 number=1 key=1 from=/topic/t\n\
        6 2 invoke";
    expect(&[Check::Incomplete], &missed.replace("5 1 ok 2\n", "").replace("6 2 invoke", other));
}

#[test]
fn redeliveries_are_counted() {
    let text = |second: u32, third: u32| {
        queue(&format!(
            "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n\
             7 2 invoke 3 requeue consumer=1 number=1\n7 2 ok 3\n\
             8 2 deliver consumer=1 number=2 key=1 from=/queue/q redeliveries={second}\n\
             8 2 invoke 4 requeue consumer=1 number=2\n8 2 ok 4\n\
             9 2 deliver consumer=1 number=3 key=1 from=/queue/q redeliveries={third}\n"
        ))
    };
    expect(&[], &text(1, 2));
    expect(&[Check::Redelivery], &text(0, 1));
    expect(&[Check::Redelivery], &text(1, 1));
    expect(&[Check::Redelivery], &text(1, 3));
    // After a crash it is enough that redeliveries are flagged.
    let crashed = |third| text(1, third).replace("8 2 ok 4", "8 0 crash");
    expect(&[], &crashed(1));
    expect(&[Check::Redelivery], &crashed(0));
    // A consumer that ended may have had it unseen.
    let another = "7 3 invoke 9 subscribe consumer=9 to=/queue/q\n8 3 close\n9 2 deliver";
    expect(&[], &text(1, 3).replace("9 2 deliver", another));
}

#[test]
fn nothing_is_set_aside_without_a_reason() {
    let text = "7 3 invoke 9 subscribe consumer=9 to=/queue/DLQ.q mode=auto\n\
        9 3 deliver consumer=9 number=1 key=1 from=/queue/DLQ.q";
    expect(&[Check::Redelivery], &queue(text));
    expect(&[Check::Redelivery], &queue(&format!("7 0 crash\n{text}")));
    let seen = "6 2 deliver consumer=1 number=1 key=1 from=/queue/q\n";
    expect(&[], &queue(&format!("{seen}6 2 invoke 3 reject consumer=1 number=1\n{text}")));
    expect(&[Check::Redelivery], &queue(&format!("{seen}6 2 close\n{text}")));
    let once = "rule to=/queue/q attempts_max=1\n";
    expect(&[], &format!("{once}{}", queue(&format!("{seen}6 2 close\n{text}"))));
    let expiring = queue(text).replace("to=/queue/q\n3", "to=/queue/q expires_ms=8\n3");
    expect(&[], &expiring);
    expect(&[Check::Redelivery], &expiring.replace("expires_ms=8", "expires_ms=80"));
}

#[test]
fn retries_wait_as_long_as_agreed() {
    let text = queue(
        "\
7 2 deliver consumer=1 number=1 key=1 from=/queue/q
10 2 invoke 3 requeue consumer=1 number=1
11 2 ok 3
60 2 deliver consumer=1 number=2 key=1 from=/queue/q redeliveries=1",
    );
    expect(&[], &format!("rule to=/queue/q delay_ms=50\n{text}"));
    let impatient = format!("rule to=/queue/q delay_ms=51\n{text}");
    expect(&[Check::Early], &impatient);
    let redrive = "10 0 invoke 9 redrive from=/queue/DLQ.q\n11 2 ok 3";
    expect(&[], &impatient.replace("requeue", "dead_letter").replace("11 2 ok 3", redrive));
}

#[test]
fn nothing_arrives_after_its_expiry() {
    let text = queue("100 2 deliver consumer=1 number=1 key=1 from=/queue/q")
        .replace("to=/queue/q\n3", "to=/queue/q expires_ms=90\n3");
    expect(&[], &format!("terms expiry_slack_ms=10\n{text}"));
    expect(&[Check::Expired], &format!("terms expiry_slack_ms=9\n{text}"));
}

#[test]
fn browsers_are_shown_what_is_there() {
    let text = queue(
        "\
7 2 deliver consumer=1 number=1 key=1 from=/queue/q
8 2 invoke 3 ack consumer=1 number=1
8 2 ok 3
9 3 invoke 4 subscribe consumer=2 to=/queue/q browse
9 3 deliver consumer=2 number=1 key=1 from=/queue/q
9 3 browse_end consumer=2",
    );
    expect(&[Check::Browsing], &text);
    expect(&[], &text.replace("8 2 ok 3\n", ""));
}

#[test]
fn progress_has_a_limit() {
    expect(&[], "1 0 heal\n10001 0 drained");
    expect(&[Check::Progress], "1 0 heal\n10002 0 drained");
    expect(&[Check::Progress], "1 0 heal");
}

#[test]
fn a_history_that_contradicts_itself_is_refused() {
    let cases = [
        ("1 1 ok 4", "call 4 was never begun"),
        ("1 1 deliver consumer=1 number=1 key=1 from=/queue/q", "there is no such consumer"),
        ("1 1 invoke 1 disconnect\n1 1 invoke 1 disconnect", "call 1 was begun before"),
        ("1 1 invoke 1 commit transaction=7", "transaction 7 was never begun"),
        ("1 1 invoke 1 disconnect\n1 1 ok 1\n1 1 fail 1", "call 1 has an outcome already"),
    ];
    for (text, why) in cases {
        let history = History::from_text(text).expect(text);
        let error = check(&history).expect_err(text);
        assert!(error.ends_with(why), "{error}");
    }
}

#[test]
fn figures_count_messages() {
    let text = queue(
        "7 2 deliver consumer=1 number=1 key=1 from=/queue/q\n\
            8 1 invoke 7 send key=2 to=/queue/q\n\
            9 2 deliver consumer=1 number=2 key=2 from=/queue/q\n\
            9 1 invoke 8 send key=3 to=/queue/q\n\
            9 1 ok 8\n\
            9 0 drained",
    );
    let report = check(&History::from_text(&text).expect("well formed")).expect("consistent");
    let text = report.to_string();
    let first = text.lines().next().expect("figures");
    assert!(first.starts_with("attempt 3, acknowledged 2, ok 1, recovered 1, lost 3,"), "{first}");
}
