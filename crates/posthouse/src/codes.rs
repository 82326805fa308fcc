//! The codes of everything that can go wrong around the broker: configuration, start and admin
//! API. Codes are never used for something else once they are out.

use crate::exit::Exit;

/// Why something around the broker failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Code {
    /// A setting that does not exist.
    KeyUnknown,
    /// A setting's value cannot be read.
    ValueInvalid,
    /// A configuration file cannot be read.
    FileInvalid,
    /// An address that may not be listened on.
    AddressRefused,
    /// The data directory cannot be used.
    DataDirUnusable,
    /// Another process has the data directory.
    DataDirInUse,
    /// An address cannot be listened on.
    AddressUnusable,
    /// What is stored cannot be read at the start.
    StoreDamaged,
    /// The store failed while running.
    StoreFailed,
    /// A newer version has written what is stored.
    StoreNewer,
    /// The system does not let the store be read or written.
    StoreForbidden,
    /// The file system takes no writes.
    StoreReadOnly,
    /// There is no room for the store.
    StoreNoRoom,
    /// A store is in the way of another one.
    StoreExists,
    /// A backup is not what was written.
    BackupInvalid,
    /// The store is held still by somebody else, or no longer by whoever asks.
    StoreHeld,
    /// There is no store on disk.
    StoreAbsent,
    /// The store that the data directory had is gone.
    StoreLost,
    /// A backup cannot be written.
    BackupFailed,
    /// The users file cannot be used.
    UsersInvalid,
    /// A user that does not exist.
    UserUnknown,
    /// A request without a login.
    LoginMissing,
    /// A login that is wrong.
    LoginWrong,
    /// A request under a foreign host name or from a foreign page.
    OriginRefused,
    /// Too many logins at once.
    LoginsTooMany,
    /// A route that does not exist.
    RouteUnknown,
    /// A request that cannot be understood.
    RequestInvalid,
    /// A method that the route does not offer.
    MethodInvalid,
    /// The node is stopping.
    NodeStopping,
    /// No node can be reached.
    NodeUnreachable,
    /// A command that destroys and was not confirmed.
    ConfirmationMissing,
    /// An answer that cannot be understood.
    AnswerInvalid,
    /// The database of a relay source cannot be used.
    SourceUnusable,
    /// A relay source that does not exist.
    SourceUnknown,
    /// A request that does not exist.
    RequestUnknown,
    /// The database of a relay source does not answer.
    SourceUnreachable,
    /// A group, code, endpoint or hold of a relay source that does not exist.
    RelayNameUnknown,
    /// A request that does not stand as an action needs it.
    RequestStanding,
    /// Rows that another transaction holds while an action is to change them.
    RowsLocked,
    /// A code without a page.
    PageUnknown,
    /// Something that should not happen.
    Unexpected,
}

impl Code {
    /// All of them, in the order of their numbers.
    #[cfg(test)]
    pub(crate) const ALL: [Code; 41] = [
        Code::KeyUnknown,
        Code::ValueInvalid,
        Code::FileInvalid,
        Code::AddressRefused,
        Code::DataDirUnusable,
        Code::DataDirInUse,
        Code::AddressUnusable,
        Code::StoreDamaged,
        Code::StoreFailed,
        Code::UsersInvalid,
        Code::UserUnknown,
        Code::StoreNewer,
        Code::StoreForbidden,
        Code::StoreReadOnly,
        Code::StoreNoRoom,
        Code::StoreExists,
        Code::BackupInvalid,
        Code::StoreHeld,
        Code::StoreAbsent,
        Code::LoginMissing,
        Code::LoginWrong,
        Code::OriginRefused,
        Code::LoginsTooMany,
        Code::RouteUnknown,
        Code::RequestInvalid,
        Code::MethodInvalid,
        Code::NodeStopping,
        Code::StoreLost,
        Code::BackupFailed,
        Code::NodeUnreachable,
        Code::ConfirmationMissing,
        Code::AnswerInvalid,
        Code::PageUnknown,
        Code::Unexpected,
        Code::SourceUnusable,
        Code::SourceUnknown,
        Code::RequestUnknown,
        Code::SourceUnreachable,
        Code::RelayNameUnknown,
        Code::RequestStanding,
        Code::RowsLocked,
    ];

    /// The code as users see it, such as `PH1301`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Code::KeyUnknown => "PH1301",
            Code::ValueInvalid => "PH1302",
            Code::FileInvalid => "PH1303",
            Code::AddressRefused => "PH1304",
            Code::DataDirUnusable => "PH1305",
            Code::DataDirInUse => "PH1306",
            Code::AddressUnusable => "PH1307",
            Code::StoreDamaged => "PH1308",
            Code::StoreFailed => "PH1309",
            Code::UsersInvalid => "PH1310",
            Code::UserUnknown => "PH1311",
            Code::StoreNewer => "PH1312",
            Code::StoreForbidden => "PH1313",
            Code::StoreReadOnly => "PH1314",
            Code::StoreNoRoom => "PH1315",
            Code::StoreExists => "PH1316",
            Code::BackupInvalid => "PH1317",
            Code::StoreHeld => "PH1318",
            Code::StoreAbsent => "PH1319",
            Code::LoginMissing => "PH1320",
            Code::LoginWrong => "PH1321",
            Code::OriginRefused => "PH1323",
            Code::LoginsTooMany => "PH1324",
            Code::RouteUnknown => "PH1325",
            Code::RequestInvalid => "PH1326",
            Code::MethodInvalid => "PH1327",
            Code::NodeStopping => "PH1328",
            Code::StoreLost => "PH1329",
            Code::BackupFailed => "PH1330",
            Code::NodeUnreachable => "PH1340",
            Code::ConfirmationMissing => "PH1341",
            Code::AnswerInvalid => "PH1342",
            Code::PageUnknown => "PH1343",
            Code::Unexpected => "PH1344",
            Code::SourceUnusable => "PH1401",
            Code::SourceUnknown => "PH1402",
            Code::RequestUnknown => "PH1403",
            Code::SourceUnreachable => "PH1404",
            Code::RelayNameUnknown => "PH1405",
            Code::RequestStanding => "PH1406",
            Code::RowsLocked => "PH1410",
        }
    }

    /// The status with which the process ends when it ends because of this.
    pub(crate) fn exit(self) -> Exit {
        match self {
            Code::KeyUnknown | Code::ValueInvalid | Code::FileInvalid => Exit::Configuration,
            Code::AddressRefused | Code::UsersInvalid => Exit::Configuration,
            Code::DataDirInUse | Code::AddressUnusable => Exit::Conflict,
            Code::StoreExists | Code::StoreHeld => Exit::Conflict,
            Code::StoreDamaged | Code::StoreNewer | Code::BackupInvalid => Exit::StoreDamaged,
            Code::StoreFailed | Code::StoreNoRoom => Exit::StoreFailed,
            Code::StoreForbidden | Code::StoreReadOnly => Exit::StoreFailed,
            Code::LoginMissing | Code::LoginWrong | Code::OriginRefused => Exit::NotAllowed,
            Code::UserUnknown | Code::RouteUnknown | Code::PageUnknown => Exit::NotFound,
            Code::SourceUnknown | Code::RequestUnknown => Exit::NotFound,
            Code::RelayNameUnknown => Exit::NotFound,
            Code::RequestStanding | Code::RowsLocked => Exit::Conflict,
            Code::SourceUnusable => Exit::Configuration,
            Code::SourceUnreachable => Exit::Unreachable,
            Code::StoreAbsent => Exit::NotFound,
            Code::StoreLost => Exit::StoreDamaged,
            Code::RequestInvalid | Code::ConfirmationMissing => Exit::Usage,
            Code::NodeStopping | Code::NodeUnreachable => Exit::Unreachable,
            Code::DataDirUnusable | Code::LoginsTooMany | Code::MethodInvalid => Exit::Failed,
            Code::AnswerInvalid | Code::BackupFailed | Code::Unexpected => Exit::Failed,
        }
    }
}
