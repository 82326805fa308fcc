//! Histories as text, one line for each event, so that they can be kept, read and written by hand.
//!
//! `120 3 invoke 17 send key=4 to=/queue/a` says that at 120 ms client 3 began its call 17. What a
//! line leaves out has its usual value. Lines that begin with `#` are remarks. Names of clients
//! and destinations have no blanks.

use std::fmt::{self, Write};

use crate::history::line::Line;
use crate::history::{
    Call, Delivery, Durable, Event, History, Mode, Rule, Send, Settle, Subscribe, Terms,
    Transacted, Verdict, Wants, What,
};

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for Malformed {}

impl History {
    /// Reads a history.
    ///
    /// # Errors
    /// The first line that cannot be read, and why.
    pub fn from_text(text: &str) -> Result<History, Malformed> {
        let mut history = History::default();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = read_line(&mut history, line);
            read.map_err(|why| Malformed { line: index + 1, why })?;
        }
        Ok(history)
    }

    /// Writes the history, one line for each rule and event.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        put_terms(&mut text, &self.terms);
        for event in &self.events {
            let _ = writeln!(text, "{event}");
        }
        text
    }
}

fn read_line(history: &mut History, text: &str) -> Result<(), String> {
    let mut line = Line::new(text);
    match line.word()? {
        "terms" => read_terms(&mut history.terms, &line),
        "rule" => {
            history.terms.rules.push(read_rule(&line)?);
            Ok(())
        }
        _ => {
            history.events.push(read_event(Line::new(text))?);
            Ok(())
        }
    }
}

fn put_terms(text: &mut String, terms: &Terms) {
    let _ = writeln!(
        text,
        "terms expiry_slack_ms={} progress_ms={} detach_ms={}",
        terms.expiry_slack_ms, terms.progress_ms, terms.detach_ms
    );
    for rule in &terms.rules {
        let Rule { to, attempts_max, delay_ms, .. } = rule;
        let _ = write!(text, "rule to={to} attempts_max={attempts_max} delay_ms={delay_ms}");
        put_flag(text, rule.drops, "drops");
        put_flag(text, rule.skips, "skips");
        put_flag(text, rule.discards, "discards");
        put_flag(text, rule.volatile, "volatile");
        text.push('\n');
    }
}

fn put_flag(text: &mut impl Write, is_set: bool, flag: &str) {
    if is_set {
        let _ = write!(text, " {flag}");
    }
}

fn read_terms(terms: &mut Terms, line: &Line<'_>) -> Result<(), String> {
    terms.expiry_slack_ms = line.get("expiry_slack_ms")?.unwrap_or(terms.expiry_slack_ms);
    terms.progress_ms = line.get("progress_ms")?.unwrap_or(terms.progress_ms);
    terms.detach_ms = line.get("detach_ms")?.unwrap_or(terms.detach_ms);
    Ok(())
}

fn read_rule(line: &Line<'_>) -> Result<Rule, String> {
    let usual = Rule::new(line.field("to")?);
    Ok(Rule {
        attempts_max: line.get("attempts_max")?.unwrap_or(usual.attempts_max),
        delay_ms: line.get("delay_ms")?.unwrap_or(usual.delay_ms),
        drops: line.has("drops"),
        skips: line.has("skips"),
        discards: line.has("discards"),
        volatile: line.has("volatile"),
        ..usual
    })
}

fn read_event(mut line: Line<'_>) -> Result<Event, String> {
    let (at_ms, client) = (line.value()?, line.value()?);
    let what = match line.word()? {
        "open" => What::Open,
        "close" => What::Close,
        "invoke" => What::Invoke(line.value()?, read_call(line)?),
        "ok" => What::Ok(line.value()?),
        "fail" => What::Fail(line.value()?),
        "deliver" => What::Deliver(read_delivery(&line)?),
        "browse_end" => What::BrowseEnd(line.field("consumer")?),
        "missed" => What::Missed(line.field("consumer")?, line.field("count")?),
        "crash" => What::Crash,
        "start" => What::Start,
        "heal" => What::Heal,
        "drained" => What::Drained,
        other => return Err(format!("\"{other}\" is no kind of event")),
    };
    Ok(Event { at_ms, client, what })
}

fn read_delivery(line: &Line<'_>) -> Result<Delivery, String> {
    Ok(Delivery {
        consumer: line.field("consumer")?,
        number: line.field("number")?,
        key: line.field("key")?,
        from: line.field("from")?,
        redeliveries: line.get("redeliveries")?.unwrap_or(0),
    })
}

fn read_call(mut line: Line<'_>) -> Result<Call, String> {
    Ok(match line.word()? {
        "send" => Call::Send(read_send(&line)?),
        "subscribe" => Call::Subscribe(read_subscribe(&line)?),
        "unsubscribe" => Call::Unsubscribe(line.field("consumer")?),
        "forget" => Call::Forget(read_durable(&line)?.ok_or("durable= is missing")?),
        "begin" => Call::Transact(line.field("transaction")?, Transacted::Begin),
        "commit" => Call::Transact(line.field("transaction")?, Transacted::Commit),
        "abort" => Call::Transact(line.field("transaction")?, Transacted::Abort),
        "purge" => Call::Purge(line.field("from")?),
        "redrive" => Call::Redrive(line.field("from")?),
        "disconnect" => Call::Disconnect,
        verdict => Call::Settle(Settle {
            consumer: line.field("consumer")?,
            number: line.field("number")?,
            verdict: read_verdict(verdict)?,
            transaction: line.get("transaction")?,
        }),
    })
}

fn read_send(line: &Line<'_>) -> Result<Send, String> {
    let dedup = line.text("dedup").map(|text| -> Result<(u64, u64), String> {
        let parts =
            text.split_once(':').and_then(|(p, s)| Some((p.parse().ok()?, s.parse().ok()?)));
        parts.ok_or_else(|| format!("dedup={text} is not PRODUCER:NUMBER"))
    });
    Ok(Send {
        key: line.field("key")?,
        to: line.field("to")?,
        persistent: !line.has("volatile"),
        priority: line.get("priority")?.unwrap_or(4),
        expires_ms: line.get("expires_ms")?.unwrap_or(0),
        label: line.get("label")?.unwrap_or(0),
        dedup: dedup.transpose()?,
        transaction: line.get("transaction")?,
    })
}

fn read_subscribe(line: &Line<'_>) -> Result<Subscribe, String> {
    Ok(Subscribe {
        consumer: line.field("consumer")?,
        to: line.field("to")?,
        mode: match line.text("mode").unwrap_or("individual") {
            "auto" => Mode::Auto,
            "cumulative" => Mode::Cumulative,
            "individual" => Mode::Individual,
            other => return Err(format!("mode={other} is unknown")),
        },
        prefetch: line.get("prefetch")?.unwrap_or(1_000),
        wants: match (line.get("label")?, line.get("not_label")?) {
            (Some(label), _) => Wants::Label(label),
            (None, Some(label)) => Wants::Not(label),
            (None, None) => Wants::All,
        },
        browse: line.has("browse"),
        durable: read_durable(line)?,
        no_local: line.has("no_local"),
    })
}

fn read_durable(line: &Line<'_>) -> Result<Option<Durable>, String> {
    let Some(text) = line.text("durable") else { return Ok(None) };
    let parts = text.split_once('/').ok_or_else(|| format!("durable={text} is not CLIENT/NAME"))?;
    Ok(Some(Durable { client: parts.0.to_owned(), name: parts.1.to_owned() }))
}

fn read_verdict(word: &str) -> Result<Verdict, String> {
    Ok(match word {
        "ack" => Verdict::Ack,
        "reject" => Verdict::Reject,
        "requeue" => Verdict::Requeue,
        "dead_letter" => Verdict::DeadLetter,
        other => return Err(format!("\"{other}\" is no kind of call")),
    })
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.at_ms, self.client)?;
        match &self.what {
            What::Open => f.write_str("open"),
            What::Close => f.write_str("close"),
            What::Invoke(op, call) => write!(f, "invoke {op} {call}"),
            What::Ok(op) => write!(f, "ok {op}"),
            What::Fail(op) => write!(f, "fail {op}"),
            What::Deliver(delivery) => write!(f, "deliver {delivery}"),
            What::BrowseEnd(consumer) => write!(f, "browse_end consumer={consumer}"),
            What::Missed(consumer, count) => write!(f, "missed consumer={consumer} count={count}"),
            What::Crash => f.write_str("crash"),
            What::Start => f.write_str("start"),
            What::Heal => f.write_str("heal"),
            What::Drained => f.write_str("drained"),
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Delivery { consumer, number, key, from, redeliveries } = self;
        write!(f, "consumer={consumer} number={number} key={key} from={from}")?;
        write!(f, " redeliveries={redeliveries}")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Send(send) => write!(f, "send {send}"),
            Call::Subscribe(subscribe) => write!(f, "subscribe {subscribe}"),
            Call::Unsubscribe(consumer) => write!(f, "unsubscribe consumer={consumer}"),
            Call::Forget(durable) => write!(f, "forget durable={durable}"),
            Call::Settle(settle) => write!(f, "{settle}"),
            Call::Transact(transaction, step) => write!(f, "{step} transaction={transaction}"),
            Call::Purge(target) => write!(f, "purge from={target}"),
            Call::Redrive(target) => write!(f, "redrive from={target}"),
            Call::Disconnect => f.write_str("disconnect"),
        }
    }
}

impl fmt::Display for Transacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transacted::Begin => "begin",
            Transacted::Commit => "commit",
            Transacted::Abort => "abort",
        })
    }
}

impl fmt::Display for Durable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.client, self.name)
    }
}

impl fmt::Display for Send {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Send { key, to, priority, expires_ms, label, .. } = self;
        write!(f, "key={key} to={to} priority={priority} expires_ms={expires_ms} label={label}")?;
        put_flag(f, !self.persistent, "volatile");
        if let Some((producer, number)) = self.dedup {
            write!(f, " dedup={producer}:{number}")?;
        }
        put_transaction(f, self.transaction)
    }
}

impl fmt::Display for Subscribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Auto => "auto",
            Mode::Cumulative => "cumulative",
            Mode::Individual => "individual",
        };
        let Subscribe { consumer, to, prefetch, .. } = self;
        write!(f, "consumer={consumer} to={to} mode={mode} prefetch={prefetch}")?;
        match self.wants {
            Wants::All => {}
            Wants::Label(label) => write!(f, " label={label}")?,
            Wants::Not(label) => write!(f, " not_label={label}")?,
        }
        put_flag(f, self.browse, "browse");
        put_flag(f, self.no_local, "no_local");
        self.durable.iter().try_for_each(|durable| write!(f, " durable={durable}"))
    }
}

impl fmt::Display for Settle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ack => "ack",
            Verdict::Reject => "reject",
            Verdict::Requeue => "requeue",
            Verdict::DeadLetter => "dead_letter",
        };
        write!(f, "{verdict} consumer={} number={}", self.consumer, self.number)?;
        put_transaction(f, self.transaction)
    }
}

fn put_transaction(f: &mut fmt::Formatter<'_>, transaction: Option<u64>) -> fmt::Result {
    transaction.map_or(Ok(()), |transaction| write!(f, " transaction={transaction}"))
}

#[cfg(test)]
mod tests {
    use super::History;

    const TEXT: &str = "\
terms expiry_slack_ms=5000 progress_ms=10000 detach_ms=60000
rule to=/queue/a.> attempts_max=3 delay_ms=200 drops discards
1 1 open
2 1 invoke 1 send key=7 to=/queue/a.b priority=9 expires_ms=50 label=2 volatile dedup=4:9
3 1 ok 1
4 2 invoke 2 subscribe consumer=5 to=/topic/t mode=auto prefetch=3 not_label=1 no_local durable=c/n
5 2 deliver consumer=5 number=1 key=7 from=/topic/t redeliveries=2
6 2 invoke 3 dead_letter consumer=5 number=1 transaction=8
7 2 invoke 4 commit transaction=8
8 2 fail 4
9 2 browse_end consumer=5
9 2 missed consumer=5 count=4
9 2 invoke 5 forget durable=c/n
9 0 invoke 6 purge from=/queue/a.b
9 2 close
10 0 crash
11 0 start
12 0 heal
13 0 drained
";

    #[test]
    fn what_is_written_is_read_again() {
        let history = History::from_text(TEXT).expect("it is well formed");
        assert_eq!(history.to_text(), TEXT);
    }

    #[test]
    fn lines_that_cannot_be_read_are_named() {
        let cases = [
            ("1 1 open\nx 1 open", 2, "\"x\" is not what belongs there"),
            ("1 1 jump", 1, "\"jump\" is no kind of event"),
            ("1 1 invoke 2 send key=1", 1, "to= is missing"),
            ("1 1 invoke 2 send key=1 to=a", 1, "to=a cannot be"),
            ("1 1 invoke 2 bless consumer=1 number=1", 1, "\"bless\" is no kind of call"),
            ("1", 1, "the line ends too early"),
        ];
        for (text, line, why) in cases {
            let error = History::from_text(text).expect_err(text);
            assert_eq!((error.line, error.why.as_str()), (line, why), "{text}");
        }
    }
}
