//! Parses the conditions that SQL writes in words: `IS NULL`, `LIKE`, `IN` and `BETWEEN`, each
//! with its negation (Jakarta Messaging 3.1 section 3.8.1.1).

use super::error::{SelectorError, SelectorErrorKind};
use super::lexer::unquoted;
use super::like::Pattern;
use super::parser::{Level, Parsed, Parser, Tree};
use super::token::Kind;
use super::tree::{Between, Condition, Literal, Sign};

impl Parser<'_> {
    /// `value IS [NOT] NULL`
    pub(super) fn is_null(&mut self, left: Parsed) -> Result<Parsed, SelectorError> {
        self.advance()?;
        let negated = self.accept(Kind::Not)?;
        self.expect(Kind::Null, if negated { "NULL" } else { "NULL or NOT NULL" })?;
        let (height, start) = (left.height, left.start);
        let condition = Condition::Null(left.into_operand());
        self.finished(condition, height, start, negated)
    }

    /// `value [NOT] LIKE ...`, `value [NOT] IN ...` or `value [NOT] BETWEEN ...`
    pub(super) fn predicate(&mut self, left: Parsed) -> Result<Parsed, SelectorError> {
        let negated = self.accept(Kind::Not)?;
        let kind = self.token.kind;
        if !matches!(kind, Kind::Like | Kind::In | Kind::Between) {
            return Err(self.expected("LIKE, IN or BETWEEN"));
        }
        self.advance()?;
        match kind {
            Kind::Like => self.like(left, negated),
            Kind::In => self.is_in(left, negated),
            _ => self.between(left, negated),
        }
    }

    fn like(&mut self, left: Parsed, negated: bool) -> Result<Parsed, SelectorError> {
        let pattern = self.text("a pattern in single quotes")?;
        let escape = if self.accept(Kind::Escape)? { Some(self.escape()?) } else { None };
        let (height, start) = (left.height, left.start);
        let pattern = Pattern::parse(&pattern, escape);
        self.finished(Condition::Like(left.into_operand(), pattern), height, start, negated)
    }

    fn escape(&mut self) -> Result<char, SelectorError> {
        let error = self.error(SelectorErrorKind::EscapeLength);
        let text = self.text("a character in single quotes")?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(character),
            _ => Err(error),
        }
    }

    fn is_in(&mut self, left: Parsed, negated: bool) -> Result<Parsed, SelectorError> {
        self.expect(Kind::Open, "\"(\"")?;
        let mut literals = vec![self.element()?];
        while self.accept(Kind::Comma)? {
            literals.push(self.element()?);
        }
        self.expect(Kind::Close, "\",\" or \")\"")?;
        let (height, start) = (left.height, left.start);
        let condition = Condition::In(left.into_operand(), literals.into_boxed_slice());
        self.finished(condition, height, start, negated)
    }

    /// A string or a number of a list, counted as a node.
    fn element(&mut self) -> Result<Literal, SelectorError> {
        self.count(self.token.start)?;
        let what = "a string or a number";
        if self.token.kind == Kind::Text {
            return Ok(Literal::Text(self.text(what)?));
        }
        let sign = self.sign()?.unwrap_or(Sign::Plus);
        self.number(sign)?.ok_or_else(|| self.expected(what))
    }

    fn between(&mut self, left: Parsed, negated: bool) -> Result<Parsed, SelectorError> {
        let low = self.expression(Level::Sum)?;
        self.expect(Kind::And, "AND")?;
        let high = self.expression(Level::Sum)?;
        let (height, start) = (left.height.max(low.height).max(high.height), left.start);
        let condition = Condition::Between(Box::new(Between {
            value: left.into_ordered()?,
            low: low.into_ordered()?,
            high: high.into_ordered()?,
            negated,
        }));
        self.grown(Tree::Condition(condition), height, start)
    }

    /// A string literal; `what` names it in the message when there is none.
    fn text(&mut self, what: &'static str) -> Result<Box<str>, SelectorError> {
        if self.token.kind != Kind::Text {
            return Err(self.expected(what));
        }
        let text = unquoted(self.token.text, '\'');
        self.advance()?;
        Ok(text)
    }

    fn finished(
        &mut self,
        condition: Condition,
        below: usize,
        start: usize,
        negated: bool,
    ) -> Result<Parsed, SelectorError> {
        let parsed = self.grown(Tree::Condition(condition), below, start)?;
        if negated { self.negated(parsed, start) } else { Ok(parsed) }
    }
}
