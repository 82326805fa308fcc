//! The courier of all protocols with many requests on one connection.
//!
//! As with HTTP, everything that depends on the row is put together first, then a place on the
//! connection is got, and the clock is looked at once more; the task of the connection looks again
//! right before it writes. A request that was certainly not taken goes again at once on another
//! connection; what became of any other is for the pump to decide.

use posthouse_net::Error;
use posthouse_pump::attempt::{Attempt, Verdict};
use posthouse_pump::request::Content;

use super::call::Place;
use super::lines::Lines;
use super::lost::Lost;
use super::protocol::Protocol;
use crate::courier::call_target::{CallTarget, Rules, bare_host};
use crate::courier::deadline::Deadline;
use crate::courier::excerpt::detail;
use crate::courier::fault::Fault;
use crate::courier::limits::STALE_CONNECTIONS_MAX;
use crate::courier::reply::judge;
use crate::courier::site::{Spot, is_refusal};
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
        let checked = target.check(|url| bare_host(url, scheme))?;
        Ok(MultiplexCourier { rules: checked.rules, lines: Lines::new(protocol, checked.client) })
    }

    /// Begins to follow the instances that it will call. Needs a tokio runtime.
    pub fn follow(&self) {
        self.rules.site.follow();
    }

    /// Makes the attempt, and says what came of it. Needs a tokio runtime.
    pub async fn carry(&self, attempt: &Attempt, clock: &dyn Clock) -> Verdict {
        let deadline = Deadline::new(attempt, self.rules.timeout_ms, clock);
        if deadline.is_late(clock) {
            return Verdict::NotStarted;
        }
        let Some(content) = attempt.request.content.as_deref() else { return unread() };
        let mut last = Lost::NotTaken;
        for _ in 0..STALE_CONNECTIONS_MAX {
            match self.send(attempt, content, deadline, clock).await {
                Ok(verdict) => return verdict,
                Err(Miss { lost: Lost::NotTaken, .. }) => {}
                Err(Miss { lost, has_others: true }) => last = lost,
                Err(Miss { lost, .. }) => return self.explain(&lost, deadline, clock),
            }
        }
        self.explain(&last, deadline, clock)
    }

    /// Sends the call, unless the row or the clock is against it.
    async fn send(
        &self,
        attempt: &Attempt,
        content: &Content,
        deadline: Deadline,
        clock: &dyn Clock,
    ) -> Result<Verdict, Miss> {
        let mut call = match self.rules.call(attempt, content) {
            Ok((call, _)) => Box::new(call),
            Err(why) => return Ok(Verdict::Rejected { status: None, detail: detail(&why) }),
        };
        self.rules.sign(&mut call, clock).await;
        let values = self.rules.assembly.values(attempt, content);
        let start_until = deadline.start_until(clock);
        let spot = match self.rules.site.spot(&values, start_until).await {
            Ok(spot) => spot,
            Err(_) if deadline.has_missed_start(clock) => return Ok(Verdict::NotStarted),
            Err(verdict) => return Ok(verdict),
        };
        let place = learn(self.lines.place(&spot.origin, start_until).await, &spot)?;
        if deadline.is_late(clock) {
            return Ok(Verdict::NotStarted);
        }
        call.timeout_ms = deadline.left_ms(clock);
        let end_until = deadline.end_until(clock);
        Ok(judge(place.exchange(call, deadline.start_until(clock), end_until).await?))
    }

    /// No answer. If only the start was missed, or there was no place, the endpoint has done
    /// nothing wrong and this was no try.
    fn explain(&self, lost: &Lost, deadline: Deadline, clock: &dyn Clock) -> Verdict {
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
                blame: self.rules.site.blame(),
            },
        }
    }
}

/// No answer, and whether another instance may be called instead: nothing was sent to this one.
struct Miss {
    lost: Lost,
    has_others: bool,
}

impl From<Lost> for Miss {
    fn from(lost: Lost) -> Miss {
        Miss { lost, has_others: false }
    }
}

/// Remembers of an instance whether it has taken a connection.
fn learn(placed: Result<Place, Lost>, spot: &Spot) -> Result<Place, Miss> {
    match placed {
        Ok(place) => {
            spot.accepted();
            Ok(place)
        }
        Err(lost) => {
            let is_refused = match &lost {
                Lost::Net(error) => is_refusal(error),
                Lost::Greeting { .. } => true,
                _ => false,
            };
            Err(Miss { lost, has_others: is_refused && spot.refused() })
        }
    }
}
