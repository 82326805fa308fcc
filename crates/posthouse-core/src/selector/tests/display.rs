//! Writes a tree back as text with every parenthesis, so that tests can see how it was grouped
//! and that it parses to itself.

use crate::selector::like::{Part, Pattern};
use crate::selector::token::{Kind, word_kind};
use crate::selector::tree::{Arithmetic, Comparison, Condition, Literal, Operand, Sign};
use std::fmt::{Display, Formatter, Result};

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Truth(operand) => write!(f, "{operand}"),
            Self::Not(inner) => write!(f, "(NOT {inner})"),
            Self::All(conditions) => joined(f, "(", conditions, " AND "),
            Self::Any(conditions) => joined(f, "(", conditions, " OR "),
            Self::Compare(operator, left, right) => write!(f, "({left} {operator} {right})"),
            Self::Null(operand) => write!(f, "({operand} IS NULL)"),
            Self::Between(between) => {
                let negation = if between.negated { "NOT " } else { "" };
                let (value, low, high) = (&between.value, &between.low, &between.high);
                write!(f, "({value} {negation}BETWEEN {low} AND {high})")
            }
            Self::In(operand, literals) => {
                write!(f, "({operand} IN ")?;
                joined(f, "(", literals, ", ")?;
                f.write_str(")")
            }
            Self::Like(operand, pattern) => write!(f, "({operand} LIKE {pattern})"),
        }
    }
}

fn joined<T: Display>(f: &mut Formatter<'_>, open: &str, items: &[T], between: &str) -> Result {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    write!(f, "{open}{})", items.join(between))
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Literal(literal) => write!(f, "{literal}"),
            Self::Name(name) if is_plain(name) => f.write_str(name),
            Self::Name(name) => write!(f, "\"{}\"", name.replace('"', "\"\"")),
            Self::Signed(Sign::Plus, inner) => write!(f, "(+({inner}))"),
            Self::Signed(Sign::Minus, inner) => write!(f, "(-({inner}))"),
            Self::Arithmetic(operator, left, right) => write!(f, "({left} {operator} {right})"),
            Self::Condition(condition) => write!(f, "{condition}"),
        }
    }
}

/// Whether a name can stand without quotes.
fn is_plain(name: &str) -> bool {
    name.chars().all(|letter| letter.is_ascii_lowercase()) && word_kind(name) == Kind::Name
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(value) => f.write_str(if *value { "TRUE" } else { "FALSE" }),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(value) => write!(f, "'{}'", value.replace('\'', "''")),
        }
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let text: String = self.parts.iter().map(ToString::to_string).collect();
        write!(f, "'{text}' ESCAPE '!'")
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Many => f.write_str("%"),
            Self::One => f.write_str("_"),
            Self::Exactly('\'') => f.write_str("''"),
            Self::Exactly(special @ ('%' | '_' | '!')) => write!(f, "!{special}"),
            Self::Exactly(character) => write!(f, "{character}"),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        })
    }
}
