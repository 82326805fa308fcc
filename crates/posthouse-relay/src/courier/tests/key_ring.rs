//! Keys from files, and what happens when the files change.

use std::fs;
use std::sync::Arc;

use tempfile::TempDir;

use crate::courier::SecretSource;
use crate::courier::key_ring::KeyRing;
use crate::courier::limits::KEY_FILE_LOOK_MS;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

struct Ring {
    folder: TempDir,
    ring: Arc<KeyRing>,
    mono_ms: u64,
}

impl Ring {
    fn new(text: &str) -> Ring {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("keys");
        fs::write(&file, text).unwrap();
        let ring = KeyRing::load(vec![SecretSource::File(file)]).unwrap();
        Ring { folder, ring, mono_ms: 0 }
    }

    fn write(&self, text: &str) {
        fs::write(self.folder.path().join("keys"), text).unwrap();
    }

    /// How many keys sign after `later_ms`.
    async fn count(&mut self, later_ms: u64) -> usize {
        self.mono_ms += later_ms;
        self.ring.current(self.mono_ms).await.len()
    }
}

#[tokio::test]
async fn keys_change_with_their_file() {
    let mut ring = Ring::new(&format!("{SECRET}\n"));
    assert_eq!(ring.count(0).await, 1);
    ring.write(&format!("{OTHER}\n\n{SECRET}\n"));
    assert_eq!(ring.count(KEY_FILE_LOOK_MS - 1).await, 1, "nobody has looked yet");
    assert_eq!(ring.count(1).await, 2);
    ring.write(&format!("{OTHER}\r\n"));
    assert_eq!(ring.count(KEY_FILE_LOOK_MS).await, 1);
}

#[tokio::test]
async fn keys_stay_when_their_file_cannot_be_used() {
    let mut ring = Ring::new(&format!("{SECRET}\n{OTHER}\n"));
    ring.write("half a wri");
    assert_eq!(ring.count(KEY_FILE_LOOK_MS).await, 2);
    fs::remove_file(ring.folder.path().join("keys")).unwrap();
    assert_eq!(ring.count(KEY_FILE_LOOK_MS).await, 2);
    ring.write(SECRET);
    assert_eq!(ring.count(KEY_FILE_LOOK_MS).await, 1);
}

#[test]
fn sources_that_cannot_be_used_are_named() {
    let folder = TempDir::new().unwrap();
    let (empty, wrong) = (folder.path().join("empty"), folder.path().join("wrong"));
    fs::write(&empty, "\n").unwrap();
    fs::write(&wrong, "whsec_c2hvcnQ=").unwrap();
    let cases = [
        (SecretSource::Environment("POSTHOUSE_NO_SUCH_KEY".into()), "is not set"),
        (SecretSource::File(folder.path().join("missing")), "missing cannot be read"),
        (SecretSource::File(empty), "holds no secret"),
        (SecretSource::File(wrong), "instead of 24 to 64"),
        (SecretSource::File(SECRET.into()), "where its file is to be named"),
        (SecretSource::Environment(SECRET.into()), "where its file is to be named"),
    ];
    for (source, expected) in cases {
        let problem = KeyRing::load(vec![source]).unwrap_err();
        assert!(problem.contains(expected) && !problem.contains(SECRET), "{problem}");
    }
}
