//! `posthouse store dump`: every batch and every record of a store, line by line as it is read.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::ops::ControlFlow;

use clap::Args;
use posthouse_core::destination::{DestinationName, Kind};
use posthouse_core::ids::BatchNo;
use posthouse_store::journal::inspect::{Line, Selection, dump};
use serde_json::{Value, json};

use super::super::Global;
use super::super::output::{Format, printable};
use super::super::progress::Progress;
use super::open_alone;
use crate::codes::Code;
use crate::failure::Failure;
use crate::store_failure::of_fault;

/// Bytes of each body that are shown.
const BODY_BYTES_MAX: usize = 256;

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// Only records about this destination, such as /queue/orders or /topic/news.
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// Only batches of the log from this one on.
    #[arg(long, value_name = "BATCH", default_value_t = 0, hide_default_value = true)]
    from_batch: u64,
    /// Only batches of the log up to this one.
    #[arg(long, value_name = "BATCH", default_value_t = u64::MAX, hide_default_value = true)]
    to_batch: u64,
    /// Show the first 256 bytes of each body. They are the users' own: mind who reads them.
    #[arg(long)]
    bodies: bool,
}

impl Dump {
    pub(super) fn run(&self, global: &Global) -> Result<(), Failure> {
        let selection = self.selection()?;
        let (store, _onlooker) = open_alone(global)?;
        // On a terminal the lines themselves show how far it has come.
        let progress = (!io::stdout().is_terminal()).then(|| Progress::new("reading"));
        let mut tell = |done, total| {
            if let Some(progress) = &progress {
                progress.show(done, total);
            }
        };
        let mut lines = Lines::new(global.output);
        let mut take = |line: Line| lines.take(&line);
        let read = dump(&store.files, &selection, &mut take, &mut tell);
        let written = lines.finish();
        read.map_err(|fault| of_fault(&store.dir, &fault))?;
        written
    }

    fn selection(&self) -> Result<Selection, Failure> {
        Ok(Selection {
            from: BatchNo(self.from_batch),
            to: BatchNo(self.to_batch),
            destination: self.destination.as_deref().map(name).transpose()?,
            body_bytes_max: if self.bodies { BODY_BYTES_MAX } else { 0 },
        })
    }
}

/// A destination as clients write it; without a kind it is a queue.
fn name(text: &str) -> Result<DestinationName, Failure> {
    let (kind, path) = match (text.strip_prefix("/queue/"), text.strip_prefix("/topic/")) {
        (_, Some(path)) => (Kind::Topic, path),
        (Some(path), _) => (Kind::Queue, path),
        _ => (Kind::Queue, text),
    };
    DestinationName::new(kind, path).map_err(|refusal| {
        let help = "write it as /queue/orders or /topic/news";
        Failure::new(Code::RequestInvalid, refusal.detail, help)
    })
}

/// Writes lines one by one. Whoever stops reading has seen enough.
struct Lines {
    format: Format,
    out: BufWriter<StdoutLock<'static>>,
    count: u64,
    error: Option<io::Error>,
}

impl Lines {
    fn new(format: Format) -> Lines {
        Lines { format, out: BufWriter::new(io::stdout().lock()), count: 0, error: None }
    }

    fn take(&mut self, line: &Line) -> ControlFlow<()> {
        match self.write(line) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let is_first = self.count == 0;
        self.count += 1;
        let Line { batch, place, text } = line;
        let (segment, block, offset) = (place.segment, place.block(), place.offset());
        match self.format {
            Format::Table => {
                let (batch, text) = (batch.0, printable(text));
                writeln!(self.out, "{batch} {segment:x}:{block}+{offset} {text}")
            }
            Format::Json => {
                let before = if is_first { "[\n" } else { ",\n" };
                write!(self.out, "{before}{}", as_json(line))
            }
            Format::Jsonl => writeln!(self.out, "{}", as_json(line)),
            Format::Csv => {
                if is_first {
                    writeln!(self.out, "batch,segment,block,offset,text")?;
                }
                let text = text.replace('"', "\"\"");
                writeln!(self.out, "{},{segment:x},{block},{offset},\"{text}\"", batch.0)
            }
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if self.format == Format::Json {
            let end = if self.count == 0 { "[]\n" } else { "\n]\n" };
            self.out.write_all(end.as_bytes())?;
        }
        self.out.flush()
    }

    fn finish(mut self) -> Result<(), Failure> {
        let ended = match self.error.take() {
            Some(error) => Err(error),
            None => self.end(),
        };
        match ended {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::unexpected(format!("the output cannot be written: {error}")))
            }
            _ => Ok(()),
        }
    }
}

fn as_json(line: &Line) -> Value {
    json!({
        "batch": line.batch.0,
        "segment": format!("{:x}", line.place.segment),
        "block": line.place.block(),
        "offset": line.place.offset(),
        "text": line.text,
    })
}
