//! Watching the configuration file: what was changed in it holds a moment later, without a signal.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

/// From one look at the file to the next.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is known of a file without reading it: when it was changed, how long it is, and which file
/// it is, for editors replace files.
type Stamp = Option<(SystemTime, u64, u64)>;

/// See the module.
pub(super) struct Watched {
    path: Option<PathBuf>,
    seen: Stamp,
}

impl Watched {
    /// Watches `path`, or nothing.
    pub(super) fn new(path: Option<PathBuf>) -> Watched {
        let seen = path.as_ref().and_then(stamp);
        Watched { path, seen }
    }

    /// Waits until the file is another than before, and has been the same for two looks: whoever
    /// writes it may need more than one go.
    pub(super) async fn changed(&mut self) {
        let Some(path) = self.path.clone() else { return std::future::pending().await };
        let mut last = self.seen;
        loop {
            sleep(LOOK_EVERY).await;
            let now = stamp(&path);
            if now == last && now != self.seen && now.is_some() {
                self.seen = now;
                return;
            }
            last = now;
        }
    }
}

fn stamp(path: &PathBuf) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let facts = fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len(), facts.ino()))
}
