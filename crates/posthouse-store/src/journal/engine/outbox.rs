//! What the journal has to tell, until the broker thread asks for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Completion;

use super::bell::lock;

/// Called after each completion, from any thread of the journal.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// A completion, with what the journal itself has to know once it has been told.
pub(super) struct News {
    pub(super) completion: Completion,
    /// The segment of moved messages that has been told to its end with this.
    pub(super) moved_to: Option<u64>,
}

/// See the module.
pub(super) struct Outbox {
    news: Mutex<VecDeque<News>>,
    has_news: AtomicBool,
    failure: Mutex<Option<String>>,
    has_failed: AtomicBool,
    wake: Option<Wake>,
}

impl Outbox {
    pub(super) fn new(wake: Option<Wake>) -> Outbox {
        Outbox {
            news: Mutex::default(),
            has_news: AtomicBool::new(false),
            failure: Mutex::default(),
            has_failed: AtomicBool::new(false),
            wake,
        }
    }

    /// Tells something. After a failure nothing is told any more.
    pub(super) fn push(&self, completion: Completion) {
        self.push_news(News { completion, moved_to: None });
    }

    /// Tells something that the journal wants to know to have been heard.
    pub(super) fn push_news(&self, news: News) {
        self.put(news);
        self.wake();
    }

    /// Puts a batch down as durable; for whoever wakes the broker after more has been done.
    pub(super) fn put_durable(&self, batch: BatchNo) {
        self.put(News { completion: Completion::Durable(batch), moved_to: None });
    }

    fn put(&self, news: News) {
        let mut queue = lock(&self.news);
        if self.has_failed() {
            return;
        }
        if let (Completion::Durable(_), Some(last)) = (&news.completion, queue.back())
            && let Completion::Durable(_) = last.completion
        {
            queue.pop_back();
        }
        queue.push_back(news);
        self.has_news.store(true, Ordering::Release);
    }

    /// Tells that the store is broken, the first time.
    pub(super) fn fail(&self, why: &str) {
        {
            let mut queue = lock(&self.news);
            if self.has_failed.swap(true, Ordering::AcqRel) {
                return;
            }
            queue
                .push_back(News { completion: Completion::Failed(why.to_owned()), moved_to: None });
            self.has_news.store(true, Ordering::Release);
            // Whoever asks for it finds it told.
            *lock(&self.failure) = Some(why.to_owned());
        }
        self.wake();
    }

    /// Whether the store is broken.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Why the store is broken, if it is.
    pub(super) fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }

    /// The next thing to tell. Cheap when there is nothing.
    pub(super) fn pop(&self) -> Option<News> {
        if !self.has_news.load(Ordering::Acquire) {
            return None;
        }
        let mut queue = lock(&self.news);
        let news = queue.pop_front();
        self.has_news.store(!queue.is_empty(), Ordering::Release);
        news
    }

    /// Has the broker thread look, although there may be nothing to tell.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            wake();
        }
    }
}
