//! Builds the library that answers calls in place of the disk.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds it in `dir` with the C compiler that the build of the node takes anyway.
pub(super) fn build(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/bad_disk/bad_disk.c");
    let library = dir.join("bad_disk.so");
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source);
    let output = command.output().expect("there is a C compiler: apt-get install gcc");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    library
}
