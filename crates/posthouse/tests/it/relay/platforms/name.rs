//! Which platform it is. It is also the owner of one part of each record.

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// Members place orders. On PostgreSQL.
    Participant,
    /// The bank settles what was traded. On MariaDB.
    Collaboration,
    /// The exchange trades orders. On SQLite.
    Operation,
}

impl Name {
    pub(super) const ALL: [Name; 3] = [Name::Participant, Name::Collaboration, Name::Operation];

    pub(super) fn word(self) -> &'static str {
        match self {
            Name::Participant => "participant",
            Name::Collaboration => "collaboration",
            Name::Operation => "operation",
        }
    }

    pub(super) fn named(word: &str) -> Option<Name> {
        Name::ALL.into_iter().find(|name| name.word() == word)
    }

    pub(super) fn others(self) -> impl Iterator<Item = Name> {
        Name::ALL.into_iter().filter(move |name| *name != self)
    }

    /// The code under which it tells another platform of a change.
    pub(super) fn code_to(self, other: Name) -> String {
        format!("{}.TO.{}", self.word(), other.word()).to_uppercase()
    }
}
