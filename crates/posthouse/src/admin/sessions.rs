//! Who is logged in: tokens and whom they stand for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::access::Principal;
use crate::data_dir::Token;

/// How long a login holds.
pub(crate) const LIFE: Duration = Duration::from_secs(12 * 3_600);

/// Logins at the same time; the one that ends first makes room.
const SESSIONS_MAX: usize = 1_000;

#[derive(Debug)]
struct Session {
    principal: Principal,
    /// `None` holds as long as the process.
    ends: Option<Instant>,
}

/// All logins. Tokens are looked up in a table with a random hash, so that the time it takes
/// tells nothing about them.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    sessions: Mutex<HashMap<Token, Session>>,
}

impl Sessions {
    /// Makes a login that holds as long as the process.
    pub(crate) fn open_forever(&self, principal: Principal) -> Token {
        self.insert(Session { principal, ends: None })
    }

    /// Makes a login that holds for [`LIFE`] from `now` on.
    pub(crate) fn open(&self, principal: Principal, now: Instant) -> Token {
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.ends.is_none_or(|ends| ends > now));
        if sessions.len() >= SESSIONS_MAX {
            let ending = sessions.iter().filter_map(|(token, s)| Some((s.ends?, token.clone())));
            if let Some((_, token)) = ending.min_by_key(|(ends, _)| *ends) {
                sessions.remove(&token);
            }
        }
        drop(sessions);
        self.insert(Session { principal, ends: Some(now + LIFE) })
    }

    /// Whom `token` stands for at `now`.
    pub(crate) fn find(&self, token: &Token, now: Instant) -> Option<Principal> {
        let sessions = self.lock();
        let session = sessions.get(token)?;
        let holds = session.ends.is_none_or(|ends| ends > now);
        holds.then(|| session.principal.clone())
    }

    fn insert(&self, session: Session) -> Token {
        let token = Token::random();
        self.lock().insert(token.clone(), session);
        token
    }

    /// No step between locking and unlocking leaves the table half changed, so that a panic
    /// elsewhere is no reason not to use it.
    fn lock(&self) -> MutexGuard<'_, HashMap<Token, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{LIFE, Principal, SESSIONS_MAX, Sessions};
    use crate::data_dir::Token;

    #[test]
    fn logins_end_and_are_bounded() {
        let admin = || Principal::Administrator("admin".into());
        let sessions = Sessions::default();
        let start = Instant::now();
        let forever = sessions.open_forever(admin());
        let first = sessions.open(admin(), start);
        assert_eq!(sessions.find(&first, start), Some(admin()));
        assert_eq!(sessions.find(&first, start + LIFE), None);
        assert_eq!(sessions.find(&Token::presented(""), start), None);
        for _ in 0..SESSIONS_MAX {
            sessions.open(admin(), start + LIFE / 2);
        }
        assert_eq!(sessions.lock().len(), SESSIONS_MAX);
        assert_eq!(sessions.find(&first, start), None, "the first to end made room");
        assert_eq!(sessions.find(&forever, start + LIFE * 2), Some(admin()));
    }
}
