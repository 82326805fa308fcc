//! Tells every part of the process that it is time to stop.

use tokio::sync::watch;

/// Says when it is time.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

/// Hears when it is time.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// Both ends.
pub(crate) fn channel() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Says that it is time. Parts that listen later hear it too.
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits until it is time; also when whoever could say so is gone.
    pub(crate) async fn stopped(&mut self) {
        let _ = self.0.wait_for(|is_time| *is_time).await;
    }
}
