//! The courier of all protocols with many requests on one connection.
//!
//! As with HTTP, everything that depends on the row is put together first, then a place on the
//! connection is got, and the clock is looked at once more; the task of the connection looks again
//! right before it writes. A request that was certainly not taken goes again at once on another
//! connection; what became of any other is for the pump to decide.

use posthouse_net::Error;
use posthouse_pump::attempt::{Attempt, Blame, Verdict};

use super::lines::Lines;
use super::lost::Lost;
use super::protocol::{Call, Protocol, Reply};
use crate::courier::call_target::{CallTarget, Rules, bare_origin};
use crate::courier::deadline::Deadline;
use crate::courier::excerpt::detail;
use crate::courier::fault::Fault;
use crate::courier::limits::STALE_CONNECTIONS_MAX;
use crate::courier::reply::judge;
use crate::courier::{Clock, unread};

/// Makes calls to one target over one protocol.
pub struct MultiplexCourier<P> {
    rules: Rules,
    lines: Lines<P>,
}

impl<P: Protocol> MultiplexCourier<P> {
    /// Checks the target and reads its keys.
    ///
    /// # Errors
    /// Every mistake in the target.
    pub fn new(protocol: P, target: CallTarget) -> Result<MultiplexCourier<P>, Vec<Fault>> {
        let scheme = protocol.scheme();
        let checked = target.check(|url| bare_origin(url, scheme))?;
        Ok(MultiplexCourier { rules: checked.rules, lines: Lines::new(protocol, checked.client) })
    }

    /// Makes the attempt, and says what came of it. Needs a tokio runtime.
    pub async fn carry(&self, attempt: &Attempt, clock: &dyn Clock) -> Verdict {
        let deadline = Deadline::new(attempt, self.rules.timeout_ms, clock);
        if deadline.is_late(clock) {
            return Verdict::NotStarted;
        }
        let Some(content) = attempt.request.content.as_deref() else { return unread() };
        for _ in 0..STALE_CONNECTIONS_MAX {
            let call = match self.rules.call(attempt, content) {
                Ok((call, _)) => Box::new(call),
                Err(why) => return Verdict::Rejected { status: None, detail: detail(&why) },
            };
            match self.send(call, deadline, clock).await {
                Err(Lost::NotTaken) => {}
                Err(lost) => return explain(&lost, deadline, clock),
                Ok(reply) => return judge(reply),
            }
        }
        explain(&Lost::NotTaken, deadline, clock)
    }

    /// Sends the call, unless the clock is against it.
    async fn send(
        &self,
        mut call: Box<Call>,
        deadline: Deadline,
        clock: &dyn Clock,
    ) -> Result<Reply, Lost> {
        self.rules.sign(&mut call, clock).await;
        let start_until = deadline.start_until(clock);
        let place = self.lines.place(&self.rules.origin, start_until).await?;
        if deadline.is_late(clock) {
            return Err(Lost::Late);
        }
        call.timeout_ms = deadline.left_ms(clock);
        place.exchange(call, deadline.start_until(clock), deadline.end_until(clock)).await
    }
}

/// No answer. If only the start was missed, or there was no place, the endpoint has done nothing
/// wrong and this was no try.
fn explain(lost: &Lost, deadline: Deadline, clock: &dyn Clock) -> Verdict {
    match lost {
        Lost::Busy | Lost::Late => Verdict::NotStarted,
        Lost::Net(Error::ConnectTimeout { .. }) | Lost::Greeting { .. }
            if deadline.has_missed_start(clock) =>
        {
            Verdict::NotStarted
        }
        Lost::Unfit { reason } => Verdict::Rejected { status: None, detail: detail(reason) },
        _ => Verdict::Failed {
            status: None,
            detail: detail(&lost.to_string()),
            retry_after_ms: None,
            blame: Blame::Endpoint,
        },
    }
}
