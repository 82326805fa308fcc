//! The plan, in the form in which it is asked for each request: what holds for a code in one place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::free_since::FreeSince;
use super::hours::{Hours, Opening};
use super::withheld::Cause;
use crate::backoff;
use crate::input::Hold;
use crate::plan::{Backoff, Claim, Group, OnExpired, OnFailure, Order, Plan};
use crate::request::Request;
use crate::time::Now;

/// What holds for the requests of one code.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub group: Arc<str>,
    pub endpoint: Arc<str>,
    pub order: Order,
    pub claim: Claim,
    pub on_failure: OnFailure,
    pub on_expired: OnExpired,
    pub attempts_max: u32,
    pub backoff: Backoff,
    is_active: bool,
    /// The windows of the group and of the code.
    windows: Vec<Arc<str>>,
}

/// Whether a request may go, as far as it is known by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It may, until this instant, Unix milliseconds of the source, itself excluded.
    Go(i64),
    /// Not before this instant, Unix milliseconds of the source, which is near.
    Wait(i64),
    /// Not while this holds.
    Withhold(Cause),
    /// Never: it has expired.
    Expired,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub plan: Arc<Plan>,
    /// Endpoints to which something may go.
    pub endpoints: BTreeSet<Arc<str>>,
    free_since: FreeSince,
    codes: BTreeMap<Arc<str>, Arc<Rule>>,
    hours: BTreeMap<Arc<str>, Hours>,
    holds: BTreeSet<Hold>,
}

impl Rules {
    /// Takes a plan.
    pub fn set(&mut self, now: Now, plan: Arc<Plan>) {
        self.free_since.note_plan(now, &self.plan, &plan);
        let codes = plan.codes.iter().filter_map(|(name, code)| {
            let group = plan.groups.get(&code.group)?;
            let windows = [&group.window, &code.window].into_iter().flatten().cloned().collect();
            let rule =
                Rule { is_active: group.is_sent(&plan.region), ..rule(group, code, windows) };
            Some((name.clone(), Arc::new(rule)))
        });
        self.codes = codes.collect();
        let active = self.codes.values().filter(|rule| rule.is_active);
        self.endpoints = active.map(|rule| rule.endpoint.clone()).collect();
        let mut known = std::mem::take(&mut self.hours);
        let hours = plan.windows.iter().map(|(name, window)| {
            let same = known.remove(name).filter(|hours| hours.is_of(window));
            (name.clone(), same.unwrap_or_else(|| Hours::new(window.clone())))
        });
        self.hours = hours.collect();
        self.plan = plan;
    }

    /// Since when a request that may go could have gone, Unix milliseconds of the source.
    pub fn claimable_since_ms(&self, request: &Request) -> i64 {
        let written_ms = request.due_ms.max(request.created_ms);
        let Some(rule) = self.of(&request.code) else { return written_ms };
        let windows = rule.windows.iter().chain(&request.window);
        let open_ms = windows.filter_map(|name| {
            let own_ms = self.hours.get(name).and_then(Hours::open_since_ms);
            own_ms.max(self.free_since.window(name))
        });
        let open_ms = open_ms.max();
        let holds = holds_on(request, rule);
        let free_ms = self.free_since.of(&request.code, &rule.group, holds);
        [open_ms, free_ms].into_iter().flatten().fold(written_ms, i64::max)
    }

    /// The same of a request that has failed before: its tries moved its due time, and do not make
    /// it younger. They took as long as their waits at least; and it may have waited since its
    /// endpoint began to bring nothing but failures, Unix milliseconds of the source.
    pub fn failing_since_ms(&self, request: &Request, run_ms: Option<i64>) -> i64 {
        let since_ms = self.claimable_since_ms(request);
        let Some(rule) = self.of(&request.code).filter(|_| request.attempts > 0) else {
            return since_ms;
        };
        let tried_ms = backoff::elapsed_ms_min(&rule.backoff, request.attempts);
        let tried_ms = request.due_ms.saturating_sub_unsigned(tried_ms);
        let first_ms = run_ms.unwrap_or(i64::MAX).min(tried_ms).min(since_ms);
        let untried = Request { due_ms: 0, ..request.clone() };
        first_ms.max(self.claimable_since_ms(&untried))
    }

    /// Takes all holds; answers with those that are no more.
    pub fn set_holds(&mut self, now: Now, holds: Vec<Hold>) -> Vec<Hold> {
        let holds = holds.into_iter().collect();
        self.free_since.note_holds(now, &self.holds, &holds);
        let old = std::mem::replace(&mut self.holds, holds);
        old.difference(&self.holds).cloned().collect()
    }

    /// What holds for a code.
    pub fn of(&self, code: &str) -> Option<&Arc<Rule>> {
        self.codes.get(code)
    }

    /// What order the requests of a code have. Of a code that is not known, the strictest.
    pub fn order(&self, code: &str) -> Order {
        self.of(code).map_or(Order::Key, |rule| rule.order)
    }

    /// Whether the two plans put requests of known codes into the same lanes and to the same
    /// endpoints.
    pub fn is_alike(&self, plan: &Plan) -> bool {
        let place = |plan: &Plan, name: &str| {
            let code = plan.codes.get(name)?;
            let group = plan.groups.get(&code.group)?;
            Some((code.group.clone(), code.endpoint.clone(), group.order))
        };
        let mut names = self.plan.codes.keys().chain(plan.codes.keys());
        self.plan.region == plan.region
            && names.all(|name| place(&self.plan, name) == place(plan, name))
    }

    /// Codes of which something could go now, so that their content is of use.
    pub fn sendable(&mut self, now: Now, is_full: impl Fn(&Arc<str>) -> bool) -> Arc<[Arc<str>]> {
        let codes: Vec<_> =
            self.codes.iter().map(|(code, rule)| (code.clone(), rule.clone())).collect();
        let mut sendable = Vec::new();
        for (code, rule) in codes {
            let is_held = self.is_held(&code, &rule.endpoint);
            if rule.is_active
                && !is_held
                && !is_full(&rule.endpoint)
                && self.shut(&rule.windows, now).is_ok()
            {
                sendable.push(code);
            }
        }
        sendable.into()
    }

    /// Judges a request by itself. `horizon_ms` is how far off a due time may be for the request
    /// to wait in memory.
    pub fn judge(&mut self, request: &Request, now: Now, horizon_ms: i64) -> Judgement {
        if request.is_garbled() {
            return Judgement::Withhold(Cause::Unreadable);
        }
        let earliest_ms = now.earliest_ms();
        if request.expires_ms.is_some_and(|at| at <= earliest_ms) {
            return Judgement::Expired;
        }
        match self.permit(request, now) {
            Err(cause) => Judgement::Withhold(cause),
            Ok(_) if request.due_ms > earliest_ms.saturating_add(horizon_ms) => {
                Judgement::Withhold(Cause::DueLater(request.due_ms.div_euclid(60_000)))
            }
            Ok(_) if request.due_ms > earliest_ms => Judgement::Wait(request.due_ms),
            Ok(close_ms) => match request.expires_ms {
                Some(at) if at <= now.latest_ms() => Judgement::Wait(at),
                Some(at) => Judgement::Go(at.min(close_ms)),
                None => Judgement::Go(close_ms),
            },
        }
    }

    /// When a cause ends by itself, Unix milliseconds of the source; `None` if it does not.
    pub fn cause_ends_ms(&mut self, cause: &Cause, now: Now) -> Option<i64> {
        match cause {
            Cause::DueLater(minute) => Some(minute * 60_000),
            Cause::WindowShut(name) => match self.hours.get_mut(name)?.look(now) {
                Opening::Open(_) => Some(now.earliest_ms()),
                Opening::Shut(opens_ms) => opens_ms,
            },
            _ => None,
        }
    }

    /// Whether a cause that a plan decides on still holds under this one; the others do.
    pub fn still_holds(&self, cause: &Cause, old: &Plan) -> bool {
        match cause {
            Cause::UnknownCode(code) => !self.codes.contains_key(code),
            Cause::OtherGroup(_) => false,
            Cause::GroupOff(group) => {
                self.plan.groups.get(group).is_some_and(|group| !group.is_sent(&self.plan.region))
            }
            Cause::UnknownWindow(name) => !self.hours.contains_key(name),
            Cause::WindowShut(name) => {
                self.plan
                    .windows
                    .get(name)
                    .is_some_and(|window| old.windows.get(name) == Some(window))
                    && self.plan.codes == old.codes
                    && self.has_same_windows(old)
            }
            _ => true,
        }
    }

    /// Whether a fault of a request that an older plan did not put right is not put right by this
    /// one either.
    pub fn is_fault_still(&self, cause: &Cause, old: &Plan) -> bool {
        match cause {
            Cause::UnknownCode(code) => !self.codes.contains_key(code),
            Cause::UnknownWindow(name) => !self.hours.contains_key(name),
            Cause::OtherGroup(code) => {
                let group = |plan: &Plan| plan.codes.get(code).map(|code| code.group.clone());
                group(old).is_some() && group(old) == group(&self.plan)
            }
            _ => false,
        }
    }

    fn has_same_windows(&self, old: &Plan) -> bool {
        let windows = |plan: &Plan| -> Vec<_> {
            plan.groups.values().map(|group| group.window.clone()).collect()
        };
        windows(&self.plan) == windows(old)
    }

    /// The instant at which the windows of a request shut, or why it may not go now.
    fn permit(&mut self, request: &Request, now: Now) -> Result<i64, Cause> {
        let Some(rule) = self.codes.get(&request.code).cloned() else {
            return Err(Cause::UnknownCode(request.code.clone()));
        };
        if request.group.as_ref().is_some_and(|named| *named != rule.group) {
            return Err(Cause::OtherGroup(request.code.clone()));
        }
        if !rule.is_active {
            return Err(Cause::GroupOff(rule.group.clone()));
        }
        if let Some(hold) = self.hold_on(request, &rule) {
            return Err(Cause::Held(hold));
        }
        let close_ms = self.shut(&rule.windows, now)?;
        let own_ms = self.shut(request.window.as_slice(), now)?;
        Ok(close_ms.min(own_ms))
    }

    fn shut(&mut self, windows: &[Arc<str>], now: Now) -> Result<i64, Cause> {
        let mut close_ms = i64::MAX;
        for name in windows {
            let Some(hours) = self.hours.get_mut(name) else {
                return Err(Cause::UnknownWindow(name.clone()));
            };
            match hours.look(now) {
                Opening::Open(until_ms) => close_ms = close_ms.min(until_ms),
                Opening::Shut(_) => return Err(Cause::WindowShut(name.clone())),
            }
        }
        Ok(close_ms)
    }

    fn hold_on(&self, request: &Request, rule: &Rule) -> Option<Hold> {
        if self.holds.is_empty() {
            return None;
        }
        holds_on(request, rule).find(|hold| self.holds.contains(hold))
    }

    fn is_held(&self, code: &Arc<str>, endpoint: &Arc<str>) -> bool {
        !self.holds.is_empty()
            && (self.holds.contains(&Hold::Code(code.clone()))
                || self.holds.contains(&Hold::Endpoint(endpoint.clone())))
    }
}

/// What an operator may hold to keep a request.
fn holds_on(request: &Request, rule: &Rule) -> impl Iterator<Item = Hold> + use<> {
    let key = request.key.clone().map(|key| Hold::Key { slot: request.slot, key });
    let others = [Hold::Code(request.code.clone()), Hold::Endpoint(rule.endpoint.clone())];
    key.into_iter().chain(others)
}

fn rule(group: &Group, code: &crate::plan::Code, windows: Vec<Arc<str>>) -> Rule {
    Rule {
        group: code.group.clone(),
        endpoint: code.endpoint.clone(),
        order: group.order,
        claim: group.claim,
        on_failure: group.on_failure,
        on_expired: group.on_expired,
        attempts_max: group.attempts_max,
        backoff: group.backoff,
        is_active: group.is_active,
        windows,
    }
}
