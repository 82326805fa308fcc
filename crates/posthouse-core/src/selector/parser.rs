//! Builds the tree of a selector by operator precedence (a Pratt parser).
//!
//! `expression` reads a value and then as many operators as bind at least as tightly as its caller
//! allows. It recurses only into tighter operators and, counted against the depth limit, into
//! parentheses and prefix operators; so neither the stack nor the tree can grow without bound.
//! The forms that are particular to SQL (`LIKE`, `IN`, `BETWEEN`, `IS NULL`) are in `predicate`.

use super::Strings;
use super::error::{SelectorError, SelectorErrorKind};
use super::lexer::{Lexer, unquoted};
use super::token::{Kind, Token};
use super::tree::{Arithmetic, Comparison, Condition, Literal, Operand, Sign};
use crate::limits::{SELECTOR_DEPTH_LEVELS_MAX, SELECTOR_NODES_MAX};

/// How tightly an operator binds, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Or,
    And,
    Not,
    Equality,
    Order,
    Sum,
    Product,
    Sign,
}

/// The text being parsed, with one token of lookahead.
pub(super) struct Parser<'t> {
    lexer: Lexer<'t>,
    pub(super) token: Token<'t>,
    previous: &'t str,
    strings: Strings,
    nodes: usize,
    depth: usize,
}

/// A finished part of the tree.
pub(super) struct Parsed {
    pub(super) tree: Tree,
    /// How many nodes lie between its root and its lowest leaf.
    pub(super) height: usize,
    /// Where it begins, in bytes.
    pub(super) start: usize,
}

/// What a part has turned out to be; an operand can still become a condition and the reverse.
pub(super) enum Tree {
    Condition(Condition),
    Operand(Operand),
}

impl<'t> Parser<'t> {
    /// Parses `text` from the byte `start` to its end.
    pub(super) fn parse(
        text: &'t str,
        start: usize,
        strings: Strings,
    ) -> Result<Condition, SelectorError> {
        let mut lexer = Lexer::new(text, start);
        let token = lexer.next()?;
        if token.kind == Kind::End {
            return Err(SelectorError { kind: SelectorErrorKind::Empty, position: token.start });
        }
        let mut parser = Self { lexer, token, previous: "", strings, nodes: 0, depth: 0 };
        let parsed = parser.expression(Level::Or)?;
        if parser.token.kind != Kind::End {
            return Err(parser.expected("an operator or the end"));
        }
        parsed.into_condition()
    }

    /// Reads a value and all operators after it that bind as tightly as `floor` or tighter.
    pub(super) fn expression(&mut self, floor: Level) -> Result<Parsed, SelectorError> {
        let mut left = self.prefix(floor)?;
        while let Some(level) = infix_level(self.token.kind).filter(|level| *level >= floor) {
            left = self.infix(left, level)?;
        }
        Ok(left)
    }

    fn prefix(&mut self, floor: Level) -> Result<Parsed, SelectorError> {
        match self.token.kind {
            Kind::Not if floor <= Level::Not => self.negation(),
            Kind::Open => self.parenthesis(),
            _ => self.signed(),
        }
    }

    fn infix(&mut self, left: Parsed, level: Level) -> Result<Parsed, SelectorError> {
        match self.token.kind {
            Kind::Or | Kind::And => self.chain(left, level),
            Kind::Is => self.is_null(left),
            Kind::Not | Kind::Like | Kind::In | Kind::Between => self.predicate(left),
            kind => match (comparison(kind), arithmetic(kind)) {
                (Some(operator), _) => self.comparison(left, operator, level),
                (None, Some(operator)) => self.arithmetic(left, operator, level),
                (None, None) => Err(self.expected("an operator")),
            },
        }
    }

    /// Reads all of `a AND b AND c` into one flat node.
    fn chain(&mut self, left: Parsed, level: Level) -> Result<Parsed, SelectorError> {
        let (connective, start, mut height) = (self.token.kind, left.start, left.height);
        let mut conditions = vec![left.into_condition()?];
        while self.token.kind == connective {
            self.advance()?;
            let right = self.expression(level.tighter())?;
            height = height.max(right.height);
            conditions.push(right.into_condition()?);
        }
        let conditions = conditions.into_boxed_slice();
        let condition = match connective {
            Kind::And => Condition::All(conditions),
            _ => Condition::Any(conditions),
        };
        self.grown(Tree::Condition(condition), height, start)
    }

    fn comparison(
        &mut self,
        left: Parsed,
        operator: Comparison,
        level: Level,
    ) -> Result<Parsed, SelectorError> {
        self.advance()?;
        let right = self.expression(level.tighter())?;
        let (height, start) = (left.height.max(right.height), left.start);
        let condition = if level == Level::Order {
            Condition::Compare(operator, left.into_ordered()?, right.into_ordered()?)
        } else {
            Condition::Compare(operator, left.into_operand(), right.into_operand())
        };
        self.grown(Tree::Condition(condition), height, start)
    }

    fn arithmetic(
        &mut self,
        left: Parsed,
        operator: Arithmetic,
        level: Level,
    ) -> Result<Parsed, SelectorError> {
        self.advance()?;
        let right = self.expression(level.tighter())?;
        let (height, start) = (left.height.max(right.height), left.start);
        let left = Box::new(left.into_number(self.strings)?);
        let right = Box::new(right.into_number(self.strings)?);
        self.grown(Tree::Operand(Operand::Arithmetic(operator, left, right)), height, start)
    }

    fn negation(&mut self) -> Result<Parsed, SelectorError> {
        let start = self.token.start;
        self.advance()?;
        let inner = self.nested(Level::Not)?;
        self.negated(inner, start)
    }

    pub(super) fn negated(&mut self, inner: Parsed, start: usize) -> Result<Parsed, SelectorError> {
        let height = inner.height;
        let condition = Condition::Not(Box::new(inner.into_condition()?));
        self.grown(Tree::Condition(condition), height, start)
    }

    fn parenthesis(&mut self) -> Result<Parsed, SelectorError> {
        let start = self.token.start;
        self.advance()?;
        let inner = self.nested(Level::Or)?;
        self.expect(Kind::Close, "an operator or \")\"")?;
        Ok(Parsed { start, ..inner })
    }

    /// Reads a value that may have a sign. A sign directly before a number belongs to it, so that
    /// the least long can be written.
    fn signed(&mut self) -> Result<Parsed, SelectorError> {
        let start = self.token.start;
        let Some(sign) = self.sign()? else { return self.leaf() };
        if let Some(number) = self.number(sign)? {
            return self.grown(Tree::Operand(Operand::Literal(number)), 0, start);
        }
        let inner = self.nested(Level::Sign)?;
        let height = inner.height;
        let operand = Operand::Signed(sign, Box::new(inner.into_number(self.strings)?));
        self.grown(Tree::Operand(operand), height, start)
    }

    /// Takes the sign at the current token, if it is one.
    pub(super) fn sign(&mut self) -> Result<Option<Sign>, SelectorError> {
        let sign = match self.token.kind {
            Kind::Plus => Sign::Plus,
            Kind::Minus => Sign::Minus,
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some(sign))
    }

    fn leaf(&mut self) -> Result<Parsed, SelectorError> {
        let start = self.token.start;
        let operand = match self.token.kind {
            Kind::Name => Operand::Name(self.token.text.into()),
            Kind::QuotedName => Operand::Name(unquoted(self.token.text, '"')),
            Kind::Text => Operand::Literal(Literal::Text(unquoted(self.token.text, '\''))),
            Kind::True => Operand::Literal(Literal::Bool(true)),
            Kind::False => Operand::Literal(Literal::Bool(false)),
            Kind::Null => Operand::Literal(Literal::Null),
            _ => match self.number(Sign::Plus)? {
                Some(number) => return self.grown(Tree::Operand(number.into()), 0, start),
                None => return Err(self.expected("a value")),
            },
        };
        self.advance()?;
        self.grown(Tree::Operand(operand), 0, start)
    }

    /// The number literal at the current token, with `sign` before it, if it is one.
    pub(super) fn number(&mut self, sign: Sign) -> Result<Option<Literal>, SelectorError> {
        let number = match (self.token.kind, sign) {
            (Kind::Float(value), Sign::Plus) => Some(Literal::Float(value)),
            (Kind::Float(value), Sign::Minus) => Some(Literal::Float(-value)),
            (Kind::Whole(magnitude), sign) => Some(Literal::Int(self.whole(magnitude, sign)?)),
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(number)
    }

    fn whole(&self, magnitude: u64, sign: Sign) -> Result<i64, SelectorError> {
        let value = match sign {
            Sign::Plus => i64::try_from(magnitude).ok(),
            Sign::Minus => 0_i64.checked_sub_unsigned(magnitude),
        };
        value.ok_or_else(|| self.error(SelectorErrorKind::NumberTooLarge))
    }

    /// An expression one level deeper: inside parentheses or behind a prefix operator.
    fn nested(&mut self, floor: Level) -> Result<Parsed, SelectorError> {
        self.depth += 1;
        if self.depth > SELECTOR_DEPTH_LEVELS_MAX {
            return Err(self.error(SelectorErrorKind::TooDeep));
        }
        let parsed = self.expression(floor)?;
        self.depth -= 1;
        Ok(parsed)
    }

    /// A node above parts of the height `below`, counted against the limits.
    pub(super) fn grown(
        &mut self,
        tree: Tree,
        below: usize,
        start: usize,
    ) -> Result<Parsed, SelectorError> {
        self.count(start)?;
        let height = below + 1;
        if height > SELECTOR_DEPTH_LEVELS_MAX {
            return Err(SelectorError { kind: SelectorErrorKind::TooDeep, position: start });
        }
        Ok(Parsed { tree, height, start })
    }

    /// Counts one node that begins at `start`.
    pub(super) fn count(&mut self, start: usize) -> Result<(), SelectorError> {
        self.nodes += 1;
        if self.nodes > SELECTOR_NODES_MAX {
            return Err(SelectorError { kind: SelectorErrorKind::TooManyNodes, position: start });
        }
        Ok(())
    }

    pub(super) fn advance(&mut self) -> Result<(), SelectorError> {
        self.previous = self.token.text;
        self.token = self.lexer.next()?;
        Ok(())
    }

    /// Takes the current token if it is of this kind.
    pub(super) fn accept(&mut self, kind: Kind) -> Result<bool, SelectorError> {
        let fits = self.token.kind == kind;
        if fits {
            self.advance()?;
        }
        Ok(fits)
    }

    pub(super) fn expect(&mut self, kind: Kind, what: &'static str) -> Result<(), SelectorError> {
        if self.accept(kind)? { Ok(()) } else { Err(self.expected(what)) }
    }

    pub(super) fn expected(&self, what: &'static str) -> SelectorError {
        let (after, found) = (self.previous.to_owned(), self.token.text.to_owned());
        self.error(SelectorErrorKind::Expected { what, after, found })
    }

    /// A mistake at the current token.
    pub(super) fn error(&self, kind: SelectorErrorKind) -> SelectorError {
        SelectorError { kind, position: self.token.start }
    }
}

impl Parsed {
    /// As a condition. A value that can be a boolean holds when it is true.
    pub(super) fn into_condition(self) -> Result<Condition, SelectorError> {
        match self.tree {
            Tree::Condition(condition) => Ok(condition),
            Tree::Operand(
                operand @ (Operand::Name(_) | Operand::Literal(Literal::Bool(_) | Literal::Null)),
            ) => Ok(Condition::Truth(operand)),
            Tree::Operand(_) => Err(self.error(SelectorErrorKind::ConditionNeeded)),
        }
    }

    /// As any value. A condition is a boolean.
    pub(super) fn into_operand(self) -> Operand {
        match self.tree {
            Tree::Operand(operand) => operand,
            Tree::Condition(condition) => Operand::Condition(Box::new(condition)),
        }
    }

    /// As something to compute with: a string literal only where it would be converted.
    fn into_number(self, strings: Strings) -> Result<Operand, SelectorError> {
        match self.tree {
            Tree::Condition(_) | Tree::Operand(Operand::Literal(Literal::Bool(_))) => {
                Err(self.error(SelectorErrorKind::NumberNeeded))
            }
            Tree::Operand(Operand::Literal(Literal::Text(_))) if strings == Strings::Strict => {
                Err(self.error(SelectorErrorKind::NumberNeeded))
            }
            Tree::Operand(operand) => Ok(operand),
        }
    }

    /// As something that has an order. A string literal is refused even where it would be
    /// converted, for next to a name that holds a string it would never match.
    pub(super) fn into_ordered(self) -> Result<Operand, SelectorError> {
        match self.tree {
            Tree::Condition(_)
            | Tree::Operand(Operand::Literal(Literal::Bool(_) | Literal::Text(_))) => {
                Err(self.error(SelectorErrorKind::OrderNeedsNumbers))
            }
            Tree::Operand(operand) => Ok(operand),
        }
    }

    fn error(&self, kind: SelectorErrorKind) -> SelectorError {
        SelectorError { kind, position: self.start }
    }
}

impl Level {
    /// The next level, for right operands: it makes operators of one level group from the left.
    pub(super) fn tighter(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Equality,
            Self::Equality => Self::Order,
            Self::Order => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product | Self::Sign => Self::Sign,
        }
    }
}

impl From<Literal> for Operand {
    fn from(literal: Literal) -> Self {
        Self::Literal(literal)
    }
}

/// How tightly a token binds between two operands; `None` if it does not stand there.
fn infix_level(kind: Kind) -> Option<Level> {
    Some(match kind {
        Kind::Or => Level::Or,
        Kind::And => Level::And,
        Kind::Equal | Kind::NotEqual | Kind::Is => Level::Equality,
        Kind::Less | Kind::LessOrEqual | Kind::Greater | Kind::GreaterOrEqual => Level::Order,
        Kind::Not | Kind::Like | Kind::In | Kind::Between => Level::Order,
        Kind::Plus | Kind::Minus => Level::Sum,
        Kind::Star | Kind::Slash | Kind::Percent => Level::Product,
        _ => return None,
    })
}

fn comparison(kind: Kind) -> Option<Comparison> {
    Some(match kind {
        Kind::Equal => Comparison::Equal,
        Kind::NotEqual => Comparison::NotEqual,
        Kind::Less => Comparison::Less,
        Kind::LessOrEqual => Comparison::LessOrEqual,
        Kind::Greater => Comparison::Greater,
        Kind::GreaterOrEqual => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic(kind: Kind) -> Option<Arithmetic> {
    Some(match kind {
        Kind::Plus => Arithmetic::Add,
        Kind::Minus => Arithmetic::Subtract,
        Kind::Star => Arithmetic::Multiply,
        Kind::Slash => Arithmetic::Divide,
        Kind::Percent => Arithmetic::Remainder,
        _ => return None,
    })
}
