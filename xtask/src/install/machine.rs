//! What it takes to emulate a machine: the emulator, a small kernel, a shell and tools for disks.

use std::fs;
use std::path::Path;

/// A file of each package, wherever Debian puts it, and the package.
const NEEDED: [(&str, &str); 4] = [
    ("/usr/bin/qemu-system-x86_64", "qemu-system-x86"),
    ("/bin/busybox", "busybox-static"),
    ("/usr/sbin/mke2fs", "e2fsprogs"),
    ("/usr/bin/strip", "binutils"),
];
const KERNEL_SUFFIX: &str = "cloud-amd64";

/// The Debian packages to install before a machine can be emulated.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let missing = NEEDED.into_iter().filter(|(path, _)| !Path::new(path).exists());
    let mut packages: Vec<&'static str> = missing.map(|(_, package)| package).collect();
    if !has_kernel() {
        packages.push("linux-image-cloud-amd64");
    }
    packages
}

fn has_kernel() -> bool {
    let entries = fs::read_dir("/boot").into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.any(|name| name.starts_with("vmlinuz-") && name.ends_with(KERNEL_SUFFIX))
}
