//! Explores crashes of the node on a bad disk: `posthouse-crash [--images N] [--errors N]
//! [--flips N] [--full N] [--from SEED] [--bug NAME] [--image I] [--error ACTION:NTH [--lasting]
//! [--later]] [--flip I]`.
//!
//! Without one of the last three it tries everything, as much as is asked for, and ends at the
//! first thing that is wrong, with the command that repeats it. With one of them it does just that
//! one thing, with the life of the seed.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Instant;

use posthouse_sim::crash::errors::Trouble;
use posthouse_sim::crash::setup::Setup;
use posthouse_sim::crash::{Tally, errors, explore, flips, full};
use posthouse_store::files::sim::Action;
use posthouse_store::journal::planted::PlantedBug;

/// What was asked for.
#[derive(Debug)]
struct Options {
    images: u64,
    errors: u64,
    flips: u64,
    full: u64,
    from: u64,
    bug: Option<PlantedBug>,
    image: Option<u64>,
    error: Option<(Action, u64)>,
    flip: Option<u64>,
    is_lasting: bool,
    is_later: bool,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options {
            images: 15_000,
            errors: 1,
            flips: 3_000,
            full: 10,
            from: 1,
            bug: None,
            image: None,
            error: None,
            flip: None,
            is_lasting: false,
            is_later: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--images" => options.images = number(&value()?)?,
                "--errors" => options.errors = number(&value()?)?,
                "--flips" => options.flips = number(&value()?)?,
                "--full" => options.full = number(&value()?)?,
                "--from" => options.from = number(&value()?)?,
                "--bug" => options.bug = Some(one_of(&PlantedBug::ALL, &value()?)?),
                "--image" => options.image = Some(number(&value()?)?),
                "--error" => options.error = Some(call(&value()?)?),
                "--flip" => options.flip = Some(number(&value()?)?),
                "--lasting" => options.is_lasting = true,
                "--later" => options.is_later = true,
                _ => return Err(format!("{word} is no option; see the top of the source")),
            }
        }
        Ok(options)
    }

    fn setup(&self, seed: u64) -> Setup {
        Setup::new(seed).with(self.bug)
    }

    /// Whether one thing is to be done, and not everything.
    fn is_one(&self) -> bool {
        self.image.is_some() || self.error.is_some() || self.flip.is_some()
    }
}

fn number<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

fn one_of<T: Copy + std::fmt::Debug>(known: &[T], text: &str) -> Result<T, String> {
    let found = known.iter().copied().find(|one| format!("{one:?}") == text);
    found.ok_or_else(|| format!("there is no {text}; there are {known:?}"))
}

fn call(text: &str) -> Result<(Action, u64), String> {
    let (action, nth) = text.split_once(':').ok_or("an error is ACTION:NTH")?;
    Ok((one_of(&Action::ALL, action)?, number(nth)?))
}

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let started = Instant::now();
    let mut tally = Tally::default();
    let explored =
        if options.is_one() { one(&options, &mut tally) } else { all(&options, &mut tally) };
    println!("{tally}, {:.1} s", started.elapsed().as_secs_f64());
    match explored {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

type Explored = Result<(), Box<posthouse_sim::crash::Failure>>;

fn one(options: &Options, tally: &mut Tally) -> Explored {
    let setup = options.setup(options.from);
    if let Some(image) = options.image {
        *tally += explore::Script::live(setup.clone())?.crash(image)?;
    }
    if let Some((action, nth)) = options.error {
        let (is_lasting, is_later) = (options.is_lasting, options.is_later);
        *tally += errors::one_call(&setup, Trouble { action, nth, is_lasting, is_later })?;
    }
    if let Some(flip) = options.flip {
        *tally += flips::Still::live(setup)?.flip(flip)?;
    }
    Ok(())
}

fn all(options: &Options, tally: &mut Tally) -> Explored {
    for seed in options.from.. {
        let images = options.images.saturating_sub(tally.images);
        if images == 0 {
            break;
        }
        *tally += explore::explore(options.setup(seed), images)?;
    }
    for seed in options.from..options.from.saturating_add(options.errors) {
        *tally += errors::every(&options.setup(seed))?;
    }
    for seed in options.from.. {
        let flips = options.flips.saturating_sub(tally.flips);
        if flips == 0 {
            break;
        }
        *tally += flips::explore(options.setup(seed), flips)?;
    }
    for seed in options.from..options.from.saturating_add(options.full) {
        *tally += full::explore(options.setup(seed))?;
    }
    Ok(())
}
