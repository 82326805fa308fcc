//! Tests of the selector. The cases are data: text files of one line per case, and generated
//! tables whose expected values come from `reference`, a second and plainer implementation.

mod bounds;
mod cross;
mod display;
mod files;
mod mutation;
mod reference;

use super::{Selector, Strings, Tri};
use crate::property::{Lookup, Value};

const MODES: [Strings; 2] = [Strings::Strict, Strings::Convert];

/// A message that is nothing but its properties.
struct Properties<'a>(Vec<(&'a str, Value<'a>)>);

impl Lookup for Properties<'_> {
    fn value(&self, name: &str) -> Value<'_> {
        let found = self.0.iter().find(|(own, _)| *own == name);
        found.map_or(Value::Null, |(_, value)| *value)
    }
}

fn parse(text: &str, strings: Strings) -> Selector {
    Selector::parse(text, strings).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn evaluate(text: &str, properties: &Properties<'_>, strings: Strings) -> Tri {
    parse(text, strings).evaluate(properties)
}
