//! A machine in software: started, watched on its console, and deprived of its power.
//!
//! Its disk is a file that the emulator writes through the host's cache. What the guest has written
//! to its disk survives the end of the emulator; what is still in the guest's memory does not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::image::Image;

/// An emulated machine is slow; one that has not said so by then will not.
const LINE_MAX: Duration = Duration::from_secs(180);
/// A disk that takes its time: the longer a sync lasts, the more there is that may be confirmed too
/// early, and lost.
const SLOWNESS: &str = "throttling.iops-write=40";
/// Tries to find ports that nobody takes between the choice and the start.
const STARTS_MAX: u32 = 5;
const HOW_TO_INSTALL: &str = "run `cargo xtask power-cut`, which installs it";

/// What the guest says when the node can be reached.
const READY: &str = " ready ";

/// See the module. Loses its power when it goes out of scope.
pub(super) struct Machine {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    /// The first line, which was only awaited to see whether the machine is on.
    first: Option<String>,
    /// Where clients connect.
    pub(super) stomp: SocketAddr,
    /// Where the node's metrics are.
    pub(super) http: SocketAddr,
}

impl Machine {
    /// Switches a machine on. `environment`, words such as `NAME=VALUE`, is what its node gets.
    pub(super) fn start(image: &Image, environment: &str) -> Machine {
        for _ in 0..STARTS_MAX {
            let [stomp, http] = [free_address(), free_address()];
            let mut child = emulator(image, environment, stomp, http);
            let input = child.stdin.take().expect("its input is a pipe");
            let output = child.stdout.take().expect("its output is a pipe");
            let lines = lines_of(output, image);
            if let Ok(line) = lines.recv_timeout(LINE_MAX) {
                return Machine { child, input, lines, first: Some(line), stomp, http };
            }
            // Somebody has taken one of its ports, and it has ended, or is of no use.
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("the emulator does not start: {}", console(image));
    }

    /// Waits until the node listens.
    pub(super) fn await_ready(&mut self) {
        self.await_line(READY);
    }

    /// Waits until the console shows a line with these words, and answers it.
    pub(super) fn await_line(&mut self, words: &str) -> String {
        let deadline = Instant::now() + LINE_MAX;
        if let Some(line) = self.first.take().filter(|line| line.contains(words)) {
            return line;
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(words) => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("the guest never says {words:?}"),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the machine ended before it said {words:?}")
                }
            }
        }
    }

    /// Cuts the power.
    pub(super) fn cut(self) {
        drop(self);
    }

    /// Has the node stopped in order and the machine switched off. Fails unless all went well.
    pub(super) fn stop(mut self) {
        writeln!(self.input, "stop").expect("the machine is on");
        self.await_line("guest: the node ended with 0");
        self.await_line("guest: the disk is unmounted");
        self.child.wait().expect("a child can be awaited");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that is free now.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address")
}

fn emulator(image: &Image, environment: &str, stomp: SocketAddr, http: SocketAddr) -> Child {
    let disk = image.disk.display();
    let disk = format!("file={disk},format=raw,if=virtio,cache=writeback,{SLOWNESS}");
    let network = format!("user,id=net,hostfwd=tcp:{stomp}-:6001,hostfwd=tcp:{http}-:6002");
    let words = format!("console=ttyS0 quiet panic=-1 {environment}");
    let mut command = Command::new("qemu-system-x86_64");
    command.args(["-accel", "tcg", "-cpu", "max", "-m", "512", "-nodefaults", "-no-reboot"]);
    command.args(["-display", "none", "-serial", "stdio", "-append", &words]);
    command.arg("-kernel").arg(&image.kernel).arg("-initrd").arg(&image.archive);
    command.args(["-drive", &disk, "-netdev", &network, "-device", "virtio-net-pci,netdev=net"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(open(image).expect("the console's file can be written"));
    command.spawn().unwrap_or_else(|error| panic!("qemu: {error}: {HOW_TO_INSTALL}"))
}

/// Hands on what the console shows, line by line, and keeps it in a file.
fn lines_of(output: impl io::Read + Send + 'static, image: &Image) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let mut file = open(image).expect("the console's file can be written");
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            // Losing a line of the console would be no reason to stop.
            let _ = writeln!(file, "{line}");
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn open(image: &Image) -> io::Result<File> {
    File::options().create(true).append(true).open(image.console())
}

fn console(image: &Image) -> String {
    std::fs::read_to_string(image.console()).unwrap_or_default()
}
