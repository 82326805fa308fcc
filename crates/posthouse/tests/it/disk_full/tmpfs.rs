//! Small file systems in memory, mounted where nobody else sees them.
//!
//! A test that mounts runs once more in a process of its own, in a namespace of its own: what it
//! mounts is gone with that process, however it ends. Root may do that; anybody else may where the
//! system lets users have namespaces. Where neither is allowed the test fails and says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::{data_dir, fresh_dir};

/// Set in the process that may mount.
const VARIABLE: &str = "POSTHOUSE_TEST_MAY_MOUNT";

/// Runs `play`, the whole of the test of this full name, where it may mount.
pub(super) fn where_mounting_is_allowed(test: &str, play: impl FnOnce()) {
    if std::env::var_os(VARIABLE).is_some() {
        return play();
    }
    let mut command = Command::new("unshare");
    if !rustix::process::getuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg("--mount").arg(std::env::current_exe().expect("this program is somewhere"));
    command.args(["--exact", test, "--nocapture"]).env(VARIABLE, "1");
    let output = command.output().expect("unshare is part of util-linux");
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    // A name that is wrong would let nothing run, and that with success.
    let has_passed = output.status.success() && told.contains("1 passed");
    let why = "failed where it may mount, or it may not mount; then run it as root";
    assert!(has_passed, "{test} {why}: {told}");
}

/// A server's directory whose data lie on a file system of their own.
pub(super) struct Tmpfs {
    dir: PathBuf,
}

impl Tmpfs {
    /// Mounts one that has room for so much, as `mount` writes it.
    pub(super) fn mount(size: &str) -> Tmpfs {
        let dir = fresh_dir();
        fs::create_dir(data_dir(&dir)).expect("a directory can be made");
        let options = format!("size={size},mode=700");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]), &data_dir(&dir));
        Tmpfs { dir }
    }

    /// What is to be given to the server.
    pub(super) fn dir(&self) -> PathBuf {
        self.dir.clone()
    }

    /// Mounts it again, `ro` or `rw`.
    pub(super) fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        run(Command::new("mount").args(["-o", &options]), &data_dir(&self.dir));
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        run(Command::new("umount").arg("--lazy"), &data_dir(&self.dir));
        drop(fs::remove_dir_all(&self.dir));
    }
}

fn run(command: &mut Command, path: &Path) {
    let output = command.arg(path).output().expect("mount and umount are part of every system");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || std::thread::panicking(), "{command:?}: {told}");
}
