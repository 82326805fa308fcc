//! The machine by scripts. A script is a text: each line is a command, and the indented lines
//! below it are what must come of it. [`check`] plays the commands and compares the whole
//! transcript, so a new case is a paragraph in a text file.
//!
//! The driver is the real one; its store makes batches durable only at `sync` (or all along,
//! after `sync always`).

mod disk;
mod fairness;
mod script;
mod world;

use self::script::check;

macro_rules! scripts {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(include_str!(concat!(stringify!($name), ".txt")));
            }
        )*
    };
}

scripts! {
    queues topics durables settling redelivery transactions expiry limits slow_subscribers
    selectors browsing gates wildcards recovery duplicates removal paging
}
