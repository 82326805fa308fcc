//! The relay's configuration for the sample.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::PLATFORMS;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The tables of the configuration, as a person would write them.
pub(super) fn text(url: &str, addresses: &[SocketAddr]) -> String {
    let mut text = format!("[[relay.source]]\nname = \"participant\"\nurl = {url:?}\n");
    for (name, address) in PLATFORMS.iter().zip(addresses) {
        text += &format!(
            "[[relay.endpoint]]\nname = \"{name}\"\nurl = \"http://{address}/{{code}}\"\n\
             timeout = \"2s\"\nbreaker_failures = 0\n"
        );
    }
    text += GROUPS;
    text + &format!(
        "[[relay.window]]\nname = \"reports\"\nzone = \"UTC\"\nweekly = [\"{} 00:00-01:00\"]\n",
        DAYS[shut_day(SystemTime::now())]
    )
}

/// A weekday that is neither today nor tomorrow, so that the window of the sample is shut.
fn shut_day(now: SystemTime) -> usize {
    let days = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
    // The first of January 1970 was a Thursday.
    usize::try_from((days + 3 + 3) % 7).unwrap_or(0)
}

const GROUPS: &str = r#"
[[relay.group]]
name = "orders"

[[relay.group]]
name = "quotes"
order = "none"

[[relay.group]]
name = "audits"
attempts_max = 3
backoff = "300ms"

[[relay.group]]
name = "reports"
window = "reports"

[[relay.code]]
name = "ORDER.NEW"
group = "orders"
endpoint = "collaboration"

[[relay.code]]
name = "ORDER.PAY"
group = "orders"
endpoint = "operation"

[[relay.code]]
name = "ORDER.DONE"
group = "orders"
endpoint = "participant"

[[relay.code]]
name = "QUOTE"
group = "quotes"
endpoint = "collaboration"

[[relay.code]]
name = "AUDIT"
group = "audits"
endpoint = "operation"

[[relay.code]]
name = "REPORT"
group = "reports"
endpoint = "operation"
"#;

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{DAYS, shut_day};

    #[test]
    fn the_window_is_shut_today_and_tomorrow() {
        // 2026-11-22 was a Sunday.
        let sunday = UNIX_EPOCH + Duration::from_secs(1_795_305_600);
        assert_eq!(DAYS[shut_day(sunday)], "wed");
    }
}
