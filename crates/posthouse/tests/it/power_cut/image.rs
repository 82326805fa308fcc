//! What the guest boots and what it keeps: an archive with the node in it, and a data disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::load::{CONFIG, SETTINGS, check_store};
use crate::server::fresh_dir;

/// Modules of the kernel, each after those that it needs.
const MODULES: [&str; 9] = [
    "drivers/virtio/virtio_ring.ko",
    "drivers/virtio/virtio.ko",
    "drivers/virtio/virtio_pci_modern_dev.ko",
    "drivers/virtio/virtio_pci_legacy_dev.ko",
    "drivers/virtio/virtio_pci.ko",
    "drivers/block/virtio_blk.ko",
    "net/core/failover.ko",
    "drivers/net/net_failover.ko",
    "drivers/net/virtio_net.ko",
];
/// The kernel of this package is made for virtual machines and small.
const KERNEL_SUFFIX: &str = "cloud-amd64";
const DISK_BYTES: u64 = 256 << 20;
const HOW_TO_INSTALL: &str = "run `cargo xtask power-cut`, which installs it";

/// See the module.
pub(super) struct Image {
    dir: PathBuf,
    pub(super) kernel: PathBuf,
    pub(super) archive: PathBuf,
    pub(super) disk: PathBuf,
}

impl Image {
    /// Makes an archive and an empty disk in a directory of their own.
    pub(super) fn make() -> Image {
        let dir = fresh_dir();
        let version = kernel_version();
        let (archive, disk) = (dir.join("initramfs"), dir.join("disk"));
        fill(&dir.join("root"), &version);
        pack(&dir.join("root"), &archive);
        let file = fs::File::create(&disk).expect("a disk can be made");
        file.set_len(DISK_BYTES).expect("a disk can be made");
        run(system("mke2fs").args(["-q", "-F", "-t", "ext4"]).arg(&disk));
        Image { dir, kernel: PathBuf::from(format!("/boot/vmlinuz-{version}")), archive, disk }
    }

    /// Where the machine's console is kept.
    pub(super) fn console(&self) -> PathBuf {
        self.dir.join("console.log")
    }

    /// Checks the file system and the store on the disk of a machine that was stopped in order.
    pub(super) fn check(&self) {
        run(system("e2fsck").args(["-f", "-n"]).arg(&self.disk));
        let copy = format!("rdump /posthouse/journal {}", self.dir.display());
        run(system("debugfs").args(["-R", &copy]).arg(&self.disk));
        check_store(&self.dir.join("journal"));
    }
}

impl Drop for Image {
    /// The disk of a failed test stays, for whoever wants to look.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            drop(fs::remove_dir_all(&self.dir));
        }
    }
}

/// The newest kernel for virtual machines that is there as a whole.
fn kernel_version() -> String {
    let entries = fs::read_dir("/lib/modules").into_iter().flatten().flatten();
    let versions = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut usable: Vec<String> = versions
        .filter(|version| version.ends_with(KERNEL_SUFFIX))
        .filter(|version| Path::new("/boot").join(format!("vmlinuz-{version}")).exists())
        .collect();
    usable.sort();
    usable.pop().unwrap_or_else(|| panic!("no {KERNEL_SUFFIX} kernel: {HOW_TO_INSTALL}"))
}

fn fill(root: &Path, version: &str) {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/power_cut");
    copy(&scripts.join("init.sh"), &root.join("init"));
    copy(Path::new("/bin/busybox"), &root.join("bin/busybox"));
    write(&root.join("etc/posthouse.toml"), &configuration());
    let node = Path::new(env!("CARGO_BIN_EXE_posthouse"));
    for library in libraries(node) {
        copy(Path::new(&library), &root.join(library.trim_start_matches('/')));
    }
    run(Command::new("strip").arg("-o").arg(root.join("bin/posthouse")).arg(node));
    let modules = Path::new("/lib/modules").join(version).join("kernel");
    let mut order = String::new();
    for path in MODULES.map(Path::new) {
        let name = path.file_name().unwrap_or_default();
        copy(&modules.join(path), &root.join("modules").join(name));
        order = format!("{order}{}\n", name.to_string_lossy());
    }
    write(&root.join("modules/order"), &order);
}

/// The settings of the other tests as tables of a configuration file, before the destinations.
fn configuration() -> String {
    let mut text = String::from("[journal]\n");
    for setting in SETTINGS {
        let (key, value) = setting.split_once('=').expect("a setting is KEY=VALUE");
        let key = key.strip_prefix("journal.").expect("all of them are about the journal");
        text.push_str(&format!("{key} = \"{value}\"\n"));
    }
    text + CONFIG
}

/// The shared libraries of a program, its loader among them, as `ldd` tells them.
fn libraries(program: &Path) -> Vec<String> {
    let output = Command::new("ldd").arg(program).output().expect("ldd is part of the C library");
    let text = String::from_utf8(output.stdout).expect("ldd writes text");
    let words = text.split_whitespace().filter(|word| word.starts_with('/'));
    words.map(str::to_owned).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap_or(to)).expect("a directory can be made");
    let copied = fs::copy(from, to);
    copied.unwrap_or_else(|error| panic!("{}: {error}: {HOW_TO_INSTALL}", from.display()));
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(to, mode).expect("permissions can be set");
}

fn write(to: &Path, text: &str) {
    fs::create_dir_all(to.parent().unwrap_or(to)).expect("a directory can be made");
    fs::write(to, text).expect("a file can be written");
}

/// Packs `root` in the form that the kernel unpacks at its start.
fn pack(root: &Path, archive: &Path) {
    let script = "find . | /bin/busybox cpio -o -H newc";
    let out = fs::File::create(archive).expect("an archive can be made");
    let mut shell = Command::new("sh");
    run(shell.args(["-c", script]).current_dir(root).stdout(out));
}

/// A program that administrators use, which may not be in everybody's path.
fn system(name: &str) -> Command {
    Command::new(Path::new("/usr/sbin").join(name))
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}: {HOW_TO_INSTALL}"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed ({}): {told}", output.status);
}
