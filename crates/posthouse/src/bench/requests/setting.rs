//! The configuration of the node that is measured.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::plan::RequestPlan;
use super::{LIVE, STUCK};

const DAY_SECONDS: u64 = 86_400;
/// The first day of the Unix time was a Thursday.
const DAYS: [&str; 7] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];

/// The configuration of a node that sends what is in the plan's database to `receiver`; in a window
/// that is shut for days if `is_closed`.
pub(super) fn configuration(plan: &RequestPlan, receiver: SocketAddr, is_closed: bool) -> String {
    let url = toml::Value::from(plan.url.as_str());
    let order = if plan.keys == 0 { "none" } else { "key" };
    let window = if is_closed { "window = \"shut\"\n" } else { "" };
    let mut text = format!(
        "[[relay.source]]\nname = \"bench\"\nurl = {url}\nbody_max = \"16 MiB\"\n\
         [[relay.group]]\nname = \"bench\"\norder = \"{order}\"\n{window}\
         [[relay.endpoint]]\nname = \"receiver\"\nurl = \"http://{receiver}/{{code}}\"\n\
         concurrency = {}\n\
         [[relay.window]]\nname = \"shut\"\nzone = \"UTC\"\nweekly = [\"{} 12:00-12:01\"]\n",
        plan.concurrency,
        day_after(SystemTime::now(), 3),
    );
    for code in [LIVE, STUCK] {
        text += &format!(
            "[[relay.code]]\nname = \"{code}\"\ngroup = \"bench\"\nendpoint = \"receiver\"\n"
        );
    }
    text
}

fn day_after(now: SystemTime, days: u64) -> &'static str {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let at = (seconds / DAY_SECONDS + days) % DAYS.len() as u64;
    DAYS.get(at as usize).copied().unwrap_or("mon")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{DAY_SECONDS, day_after};

    fn check(today: u64, days: u64, expected: &str) {
        let now = UNIX_EPOCH + Duration::from_secs(today * DAY_SECONDS);
        assert_eq!(day_after(now, days), expected);
    }

    #[test]
    fn days_have_their_names() {
        check(0, 0, "thu");
        check(0, 3, "sun");
        // The 22nd of November 2026 is a Sunday.
        check(20_779, 0, "sun");
        check(20_779, 3, "wed");
    }
}
