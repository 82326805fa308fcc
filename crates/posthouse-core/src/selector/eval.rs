//! Evaluates a parsed selector against one message.
//!
//! The tree is at most [`crate::limits::SELECTOR_DEPTH_LEVELS_MAX`] levels high, which bounds the
//! recursion here. Every node costs a step; when the steps run out everything that is still to be
//! evaluated is unknown, and so is the whole.

use super::steps::Steps;
use super::tree::{Between, Comparison, Condition, Literal, Operand};
use super::{Evaluation, Strings, Tri, arithmetic, compare};
use crate::property::{Lookup, Value};

/// The bytes of two strings that are compared for one step.
const BYTES_PER_STEP: usize = 64;

/// One evaluation: the message, the mode, and the work still allowed.
pub(super) struct Evaluator<'a> {
    lookup: &'a dyn Lookup,
    strings: Strings,
    steps: Steps,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(lookup: &'a dyn Lookup, strings: Strings) -> Self {
        Self { lookup, strings, steps: Steps::new() }
    }

    pub(super) fn run(mut self, condition: &'a Condition) -> Evaluation {
        let value = self.condition(condition);
        let exhausted = self.steps.exhausted();
        let outcome = if exhausted { Tri::Unknown } else { value };
        Evaluation { outcome, steps: self.steps.spent(), exhausted }
    }

    fn condition(&mut self, condition: &'a Condition) -> Tri {
        if !self.steps.take(1) {
            return Tri::Unknown;
        }
        match condition {
            Condition::Truth(operand) => compare::truth(self.operand(operand), self.strings),
            Condition::Not(inner) => !self.condition(inner),
            Condition::All(conditions) => self.all(conditions),
            Condition::Any(conditions) => self.any(conditions),
            Condition::Compare(operator, left, right) => {
                let (left, right) = (self.operand(left), self.operand(right));
                self.compare(*operator, left, right)
            }
            Condition::Null(operand) => Tri::from(self.operand(operand) == Value::Null),
            Condition::Between(between) => self.between(between),
            Condition::In(operand, literals) => self.is_in(operand, literals),
            Condition::Like(operand, pattern) => match self.operand(operand) {
                Value::Null | Value::Bytes(_) => Tri::Unknown,
                Value::Str(text) => Tri::from(pattern.matches(text, &mut self.steps)),
                _ => Tri::False,
            },
        }
    }

    fn all(&mut self, conditions: &'a [Condition]) -> Tri {
        let mut outcome = Tri::True;
        for condition in conditions {
            outcome = outcome.and(self.condition(condition));
            if outcome == Tri::False {
                break;
            }
        }
        outcome
    }

    fn any(&mut self, conditions: &'a [Condition]) -> Tri {
        let mut outcome = Tri::False;
        for condition in conditions {
            outcome = outcome.or(self.condition(condition));
            if outcome == Tri::True {
                break;
            }
        }
        outcome
    }

    /// Section 3.8.1.1 defines both forms by comparisons, which matters for unlike kinds: they make
    /// `BETWEEN` and `NOT BETWEEN` both false.
    fn between(&mut self, between: &'a Between) -> Tri {
        let value = self.operand(&between.value);
        let (low, high) = (self.operand(&between.low), self.operand(&between.high));
        if between.negated {
            let below = self.compare(Comparison::Less, value, low);
            below.or(self.compare(Comparison::Greater, value, high))
        } else {
            let above = self.compare(Comparison::GreaterOrEqual, value, low);
            above.and(self.compare(Comparison::LessOrEqual, value, high))
        }
    }

    fn is_in(&mut self, operand: &'a Operand, literals: &'a [Literal]) -> Tri {
        let value = self.operand(operand);
        let mut outcome = Tri::False;
        for literal in literals {
            if !self.steps.take(1) {
                return Tri::Unknown;
            }
            outcome = outcome.or(self.compare(Comparison::Equal, value, literal.value()));
            if outcome == Tri::True {
                break;
            }
        }
        outcome
    }

    /// Charges long strings by their length; strings of unlike lengths differ at once.
    fn compare(&mut self, operator: Comparison, left: Value<'_>, right: Value<'_>) -> Tri {
        if let (Value::Str(left), Value::Str(right)) = (left, right)
            && left.len() == right.len()
            && !self.steps.take(u32::try_from(left.len() / BYTES_PER_STEP).unwrap_or(u32::MAX))
        {
            return Tri::Unknown;
        }
        compare::compare(operator, left, right, self.strings)
    }

    fn operand(&mut self, operand: &'a Operand) -> Value<'a> {
        if !self.steps.take(1) {
            return Value::Null;
        }
        match operand {
            Operand::Literal(literal) => literal.value(),
            Operand::Name(name) => self.lookup.value(name),
            Operand::Signed(sign, inner) => {
                arithmetic::signed(*sign, self.operand(inner), self.strings)
            }
            Operand::Arithmetic(operator, left, right) => {
                let (left, right) = (self.operand(left), self.operand(right));
                arithmetic::compute(*operator, left, right, self.strings)
            }
            Operand::Condition(condition) => match self.condition(condition) {
                Tri::True => Value::Bool(true),
                Tri::False => Value::Bool(false),
                Tri::Unknown => Value::Null,
            },
        }
    }
}
