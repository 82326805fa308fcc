//! Where messages go to and come from, as clients name it: `/queue/a.b`, `/topic/a.*`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What a destination does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One consumer gets each message.
    Queue,
    /// Every subscriber gets each message.
    Topic,
}

/// A destination, or a pattern over destinations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Queue or topic.
    pub kind: Kind,
    /// The dotted path; in a pattern `*` stands for one segment and a last `>` for any number.
    pub path: Arc<str>,
}

impl Target {
    /// The queue of this path.
    pub fn queue(path: &str) -> Target {
        Target { kind: Kind::Queue, path: path.into() }
    }

    /// The topic of this path.
    pub fn topic(path: &str) -> Target {
        Target { kind: Kind::Topic, path: path.into() }
    }

    /// The queue that keeps what could not be delivered from here.
    pub fn dead_letters(&self) -> Target {
        Target::queue(&format!("DLQ.{}", self.path))
    }

    /// Whether this pattern takes in `other`.
    pub fn takes_in(&self, other: &Target) -> bool {
        if !self.path.contains(['*', '>']) {
            return self == other;
        }
        let (mut wanted, mut found) = (self.path.split('.'), other.path.split('.'));
        loop {
            match (wanted.next(), found.next()) {
                _ if self.kind != other.kind => return false,
                (Some(">"), _) | (None, None) => return true,
                (Some(want), Some(segment)) if want == "*" || want == segment => {}
                _ => return false,
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Queue => "queue",
            Kind::Topic => "topic",
        };
        write!(f, "/{kind}/{}", self.path)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let queue = text.strip_prefix("/queue/").map(Target::queue);
        let target = queue.or_else(|| text.strip_prefix("/topic/").map(Target::topic));
        target.ok_or_else(|| format!("\"{text}\" is neither /queue/PATH nor /topic/PATH"))
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn patterns_take_in_what_they_should() {
        let cases = [
            ("/queue/a.b", "/queue/a.b", true),
            ("/queue/a.b", "/topic/a.b", false),
            ("/queue/a", "/queue/a.b", false),
            ("/queue/a.*", "/queue/a.b", true),
            ("/queue/a.*", "/queue/a", false),
            ("/queue/a.*", "/queue/a.b.c", false),
            ("/queue/a.>", "/queue/a", true),
            ("/queue/a.>", "/queue/a.b.c", true),
            ("/topic/>", "/topic/a", true),
            ("/topic/>", "/queue/a", false),
        ];
        for (pattern, name, expected) in cases {
            let read = |text: &str| -> Target { text.parse().expect(text) };
            assert_eq!(read(pattern).takes_in(&read(name)), expected, "{pattern} and {name}");
        }
    }
}
