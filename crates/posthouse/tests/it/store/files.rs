//! The files of a data directory, to compare, to damage and to forbid.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command::posthouse;

/// Somebody who may do nothing in particular.
const NOBODY: u32 = 65_534;

/// Bytes of a block, and where in a manifest format and sum lie (docs/log-format.md).
const BLOCK_BYTES: usize = 4_096;
const FORMAT_AT: usize = 8;
const SUM_AT: usize = 12;

/// The content of every file of the store in a data directory.
pub(super) fn of(data_dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(data_dir.join("journal")).expect("there is a store");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths.map(|path| (path.clone(), fs::read(&path).expect("it can be read"))).collect()
}

/// Flips a bit in the payload of a block. Answers the name of the file.
pub(super) fn flip(data_dir: &Path, name: &str, block: usize) -> String {
    let path = data_dir.join("journal").join(name);
    let mut bytes = fs::read(&path).expect("it can be read");
    bytes[block * BLOCK_BYTES + 100] ^= 1;
    fs::write(&path, bytes).expect("it can be written");
    name.to_owned()
}

/// Makes the manifest one of a later format. Its sum holds.
pub(super) fn make_newer(data_dir: &Path) {
    let path = data_dir.join("journal").join("manifest.a");
    let mut block = fs::read(&path).expect("it can be read");
    block[FORMAT_AT] = 99;
    let sum = crc32c::crc32c(&block[..SUM_AT]);
    let sum = crc32c::crc32c_append(sum, &block[SUM_AT + 4..]);
    block[SUM_AT..SUM_AT + 4].copy_from_slice(&sum.to_le_bytes());
    fs::write(&path, block).expect("it can be written");
}

/// Runs `posthouse` as somebody who may use everything in a data directory but its journal.
/// Answers exit code and standard error.
pub(super) fn run_without_permission(data_dir: &Path, arguments: &str) -> (i32, String) {
    let journal = data_dir.join("journal");
    if !rustix::process::getuid().is_root() {
        fs::set_permissions(&journal, fs::Permissions::from_mode(0o000)).expect("it is ours");
        let done = posthouse(data_dir, arguments);
        fs::set_permissions(&journal, fs::Permissions::from_mode(0o700)).expect("it is ours");
        return (done.code, done.err);
    }
    // Nothing is forbidden to root.
    give_away(data_dir, &journal);
    let mut command = Command::new(env!("CARGO_BIN_EXE_posthouse"));
    command.args(arguments.split_whitespace()).arg("--data-dir").arg(data_dir);
    let output = command.stdin(Stdio::null()).uid(NOBODY).gid(NOBODY).output();
    let output = output.expect("the binary runs");
    let code = output.status.code().expect("it ends by itself");
    (code, String::from_utf8(output.stderr).expect("the output is text"))
}

fn give_away(data_dir: &Path, journal: &Path) {
    let entries = fs::read_dir(data_dir).expect("it can be listed");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    for path in paths.filter(|path| path != journal).chain([data_dir.to_owned()]) {
        chown(&path, Some(NOBODY), Some(NOBODY)).expect("root may do that");
    }
}
