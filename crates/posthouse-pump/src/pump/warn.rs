//! Telling people of requests that only they can put right: once, and at the first sight of them,
//! even if others of their key come first.

use std::collections::BTreeSet;

use super::Pump;
use super::rules::Judgement;
use super::withheld::Cause;
use crate::effect::Notice;
use crate::limits::{TOLD_MAX, UNREADABLE_MAX};
use crate::request::{Request, Unreadable};

/// What has been told.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    causes: BTreeSet<Cause>,
    is_withheld_full: bool,
}

impl Told {
    /// Forgets what has been put right, so that it is told if it comes back.
    pub fn keep(&mut self, is_so_still: impl Fn(&Cause) -> bool) {
        self.causes.retain(is_so_still);
    }

    /// Takes note that something is told; whether it is to be.
    fn is_new(&mut self, cause: &Cause) -> bool {
        !self.causes.contains(cause)
            && self.causes.len() < TOLD_MAX
            && self.causes.insert(cause.clone())
    }
}

impl Pump {
    /// Tells people of a request that has come into sight, if need be.
    pub(super) fn warn(&mut self, request: &Request, judgement: &Judgement) {
        if let Some(unreadable) = &request.unreadable {
            self.warn_unreadable(request, unreadable);
        }
        let Judgement::Withhold(cause) = judgement else { return };
        let is_fault =
            matches!(cause, Cause::UnknownCode(_) | Cause::OtherGroup(_) | Cause::UnknownWindow(_));
        if is_fault && self.told.is_new(cause) {
            let notice = self.fault(request, cause);
            self.effects.extend(notice.map(crate::effect::Effect::Tell));
        }
    }

    /// Whether so many keys have something withheld that no new ground is read.
    pub(super) fn is_withheld_full(&self) -> bool {
        self.withheld.keys() >= self.room.withheld_keys_max
    }

    /// Tells people when reading stops because so much is withheld; again only after a good part
    /// of it has gone on.
    pub(super) fn warn_withheld_full(&mut self) {
        let (keys, keys_max) = (self.withheld.keys(), self.room.withheld_keys_max);
        if keys < keys_max - keys_max / 8 {
            self.told.is_withheld_full = false;
        } else if keys >= keys_max && !self.told.is_withheld_full {
            self.told.is_withheld_full = true;
            self.tell(Notice::WithheldFull { keys });
        }
    }

    fn warn_unreadable(&mut self, request: &Request, unreadable: &Unreadable) {
        let id = request.id;
        let known = self.unreadable.len();
        if known >= UNREADABLE_MAX || self.unreadable.insert(id, request.slot).is_some() {
            return;
        }
        if known < TOLD_MAX {
            let (column, detail) = (unreadable.column, unreadable.detail.clone());
            self.tell(Notice::Unreadable { id, column, detail });
        }
    }

    fn fault(&self, request: &Request, cause: &Cause) -> Option<Notice> {
        let (id, code) = (request.id, request.code.clone());
        match cause {
            Cause::UnknownCode(_) => Some(Notice::UnknownCode { id, code }),
            Cause::UnknownWindow(window) => {
                Some(Notice::UnknownWindow { id, window: window.clone() })
            }
            Cause::OtherGroup(_) => {
                let group = self.rules.of(&code).map(|rule| rule.group.clone()).unwrap_or_default();
                let named = request.group.clone().unwrap_or_default();
                Some(Notice::OtherGroup { id, named, group })
            }
            _ => None,
        }
    }
}
