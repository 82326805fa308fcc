//! The parsed selector. Conditions and operands are separate types, so that what the evaluator
//! receives already makes sense and it has no mistakes to report.

use super::like::Pattern;
use crate::property::Value;

/// Something that is true, false or unknown.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// An operand in the place of a condition; it holds when it is a true boolean.
    Truth(Operand),
    Not(Box<Condition>),
    /// A chain of `AND`, kept flat so that a long one is not deep.
    All(Box<[Condition]>),
    /// A chain of `OR`, kept flat for the same reason.
    Any(Box<[Condition]>),
    Compare(Comparison, Operand, Operand),
    Null(Operand),
    Between(Box<Between>),
    In(Operand, Box<[Literal]>),
    Like(Operand, Pattern),
}

/// `value BETWEEN low AND high`; the negation has its own meaning for unlike kinds, so it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Between {
    pub(super) value: Operand,
    pub(super) low: Operand,
    pub(super) high: Operand,
    pub(super) negated: bool,
}

/// Something that has a property value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Literal(Literal),
    Name(Box<str>),
    Signed(Sign, Box<Operand>),
    Arithmetic(Arithmetic, Box<Operand>, Box<Operand>),
    /// A condition compared as a boolean, as in `(a > 5) = TRUE`.
    Condition(Box<Condition>),
}

/// A value written in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

impl Literal {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Float(value) => Value::Float(*value),
            Self::Text(value) => Value::Str(value),
        }
    }
}
