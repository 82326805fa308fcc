//! Rounds: the heart-beat of a node, its leases, the time, and what operators have changed.
//!
//! One transaction, and under the lock of the control row, so that one node is served after the
//! other. The locks are taken in one order everywhere, control row, buckets, requests; so rounds,
//! settlements and operators cannot wait for each other in a circle.

use std::sync::Arc;

use posthouse_pump::input::Hold;
use posthouse_pump::outcome::BucketNo;
use posthouse_pump::read::SlotRange;
use posthouse_pump::request::{RequestId, Slot};

use super::base::{Base, Dialect, Door, Kind, Options, Record, Value, Work};
use super::error::SourceError;
use super::limits::{CHANGES_MAX, CONTROL_ROWS_MAX, NODE_MEMORY_MS};
use super::mysql;
use super::ownership::{Bucket, Ledger, Node};
use super::slot::slot_of;
use super::turn::shaken;
use super::{Control, Greeting, Round};

/// The control row.
pub(super) struct ControlRow {
    /// Grows with every change.
    pub(super) version: i64,
    /// Changes up to this version are forgotten.
    pub(super) trimmed_version: i64,
    /// The present layout.
    pub(super) layout: u32,
    /// How many buckets it has.
    pub(super) buckets: u32,
    /// The last fence that was given.
    pub(super) fence: i64,
}

/// See [`Source::round`](super::Source::round).
pub(super) async fn round(
    base: &Base,
    options: &Options,
    greeting: &Greeting,
) -> Result<Round, SourceError> {
    let dialect = base.dialect();
    let mut work = base.write(Door::Round).await?;
    let control = lock_control(&mut work, dialect).await?;
    let now_ms = greet(&mut work, dialect, greeting).await?;
    let mut ledger = load(&mut work, &control, now_ms).await?;
    refuse_twin(&ledger, greeting)?;
    let answer = ledger.serve(greeting);
    let told = match control.version == greeting.known_version {
        true => None,
        false => Some(news(&mut work, dialect, options, &control, greeting.known_version).await?),
    };
    store(&mut work, dialect, &control, &ledger).await?;
    work.commit().await?;
    Ok(Round {
        source_ms: now_ms,
        renewed: answer.renewed,
        lost: answer.lost,
        granted: answer.granted,
        drain: answer.drain,
        control: told,
    })
}

/// What has changed since a version. Where requests wait for those before them, the ones behind
/// those that somebody has changed have changed too; they are looked for now, when the change is
/// committed, because only now nothing that was read before it can be overlooked.
async fn news(
    work: &mut Work,
    dialect: Dialect,
    options: &Options,
    control: &ControlRow,
    known_version: i64,
) -> Result<Control, SourceError> {
    let mut news = load_control(work, control, known_version).await?;
    if let Some(changed) = &mut news.changed {
        let shaken = shaken(work, dialect, options.order, changed).await?;
        changed.extend(shaken);
        changed.sort_unstable();
        changed.dedup();
    }
    Ok(news)
}

/// Locks and reads the control row: whoever changes leases or settings has it first.
pub(super) async fn lock_control(
    work: &mut Work,
    dialect: Dialect,
) -> Result<ControlRow, SourceError> {
    read_control(work, dialect.for_update()).await
}

/// The settings as they stand, for people: nothing is locked.
pub(super) async fn look_control(work: &mut Work) -> Result<Control, SourceError> {
    let control = read_control(work, "").await?;
    let known_version = control.version;
    load_control(work, &control, known_version).await
}

async fn read_control(work: &mut Work, lock: &str) -> Result<ControlRow, SourceError> {
    let text = format!(
        "SELECT version, trimmed_version, layout, buckets, fence FROM relay_control \
         WHERE one = 1 {lock}"
    );
    let rows = work.rows(text, Vec::new()).await?;
    let row = rows.first().ok_or_else(control_row_is_missing)?;
    Ok(ControlRow {
        version: row.int("version")?,
        trimmed_version: row.int("trimmed_version")?,
        layout: small(row.int("layout")?),
        buckets: small(row.int("buckets")?),
        fence: row.int("fence")?,
    })
}

/// A database in which nothing has been set up.
pub(super) fn control_row_is_missing() -> SourceError {
    SourceError::unfit(
        "the table `relay_control` has no row: run `posthouse relay init` on this database",
    )
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// Leaves a sign of life, and gives the time. The time is asked for only after the lock, for which
/// there may have been a wait.
async fn greet(work: &mut Work, dialect: Dialect, greeting: &Greeting) -> Result<i64, SourceError> {
    let now = dialect.now();
    let lease_ms = i64::try_from(greeting.lease_ms).unwrap_or(i64::MAX / 4);
    let values =
        vec![Value::from(&*greeting.node), lease_ms.into(), i64::from(greeting.wants_more).into()];
    if dialect == Dialect::Mysql {
        return mysql::round::greet(work, values).await;
    }
    let text = format!(
        "INSERT INTO relay_node (node, seen_at, lives_until, is_wanting) \
         VALUES ($1, {now}, {now} + $2, CAST($3 AS SMALLINT)) \
         ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at, \
         lives_until = excluded.lives_until, is_wanting = excluded.is_wanting \
         RETURNING CAST(seen_at AS BIGINT) AS seen_at"
    );
    work.row(text, values).await?.int("seen_at")
}

/// Two sources of one process on one table would share its buckets, and each would send only what
/// its own groups let it. The one that was there first goes on; nothing stays of what the other has
/// said in this round.
fn refuse_twin(ledger: &Ledger, greeting: &Greeting) -> Result<(), SourceError> {
    let Some((life, own)) = greeting.node.rsplit_once('/') else { return Ok(()) };
    let of_this_life = ledger.nodes.iter().filter_map(|node| node.name.rsplit_once('/'));
    let mut others = of_this_life.filter(|(other, name)| *other == life && *name != own);
    match others.next() {
        None => Ok(()),
        Some((_, other)) => Err(SourceError::unfit(format!(
            "the source \"{other}\" of this node reads the same table, and goes on with it: remove \
             one of the two sources from the configuration"
        ))),
    }
}

async fn load(work: &mut Work, control: &ControlRow, now_ms: i64) -> Result<Ledger, SourceError> {
    Ok(Ledger {
        now_ms,
        layout: control.layout,
        fence: control.fence,
        nodes: load_nodes(work, now_ms).await?,
        buckets: load_buckets(work).await?,
        ..Ledger::default()
    })
}

async fn load_nodes(work: &mut Work, now_ms: i64) -> Result<Vec<Node>, SourceError> {
    let text = "SELECT CAST(node AS TEXT) AS node, CAST(is_wanting AS BIGINT) AS is_wanting, \
                CAST(seen_at AS BIGINT) AS seen_at, CAST(lives_until AS BIGINT) AS lives_until \
                FROM relay_node";
    let rows = work.rows(text.to_owned(), Vec::new()).await?;
    let mut nodes = Vec::new();
    let mut is_stale = false;
    for row in &rows {
        is_stale |= row.int("seen_at")? < now_ms - NODE_MEMORY_MS;
        if row.int("lives_until")? >= now_ms {
            nodes.push(Node {
                name: row.text("node")?.into(),
                is_wanting: row.is_set("is_wanting")?,
            });
        }
    }
    if is_stale {
        let text = "DELETE FROM relay_node WHERE seen_at < $1 AND lives_until < $2".to_owned();
        work.change(text, vec![(now_ms - NODE_MEMORY_MS).into(), now_ms.into()]).await?;
    }
    Ok(nodes)
}

async fn load_buckets(work: &mut Work) -> Result<Vec<Bucket>, SourceError> {
    let text = "SELECT bucket, CAST(slot_first AS BIGINT) AS slot_first, \
                CAST(slot_last AS BIGINT) AS slot_last, CAST(owner AS TEXT) AS owner, fence, \
                lease_until, granted_at, CAST(is_draining AS BIGINT) AS is_draining, \
                CAST(is_silent AS BIGINT) AS is_silent FROM relay_bucket ORDER BY bucket";
    let rows = work.rows(text.to_owned(), Vec::new()).await?;
    rows.iter().map(bucket_of).collect()
}

/// One row of `relay_bucket`.
pub(super) fn bucket_of(row: &Record) -> Result<Bucket, SourceError> {
    Ok(Bucket {
        number: BucketNo(u64::try_from(row.int("bucket")?).unwrap_or(0)),
        slots: SlotRange { first: slot(row, "slot_first")?, last: slot(row, "slot_last")? },
        owner: row.maybe_text("owner")?.map(Arc::from),
        fence: row.int("fence")?,
        lease_until_ms: row.int("lease_until")?,
        granted_ms: row.int("granted_at")?,
        is_draining: row.is_set("is_draining")?,
        is_silent: row.is_set("is_silent")?,
    })
}

fn slot(row: &Record, column: &str) -> Result<Slot, SourceError> {
    Ok(Slot(u16::try_from(row.int(column)?).unwrap_or(u16::MAX)))
}

async fn load_control(
    work: &mut Work,
    control: &ControlRow,
    known_version: i64,
) -> Result<Control, SourceError> {
    Ok(Control {
        version: control.version,
        switches: load_switches(work).await?,
        holds: load_holds(work).await?,
        changed: load_changes(work, control, known_version).await?,
        buckets: control.buckets,
    })
}

async fn load_switches(work: &mut Work) -> Result<Vec<(Arc<str>, bool)>, SourceError> {
    let text = "SELECT CAST(grp AS TEXT) AS grp, CAST(is_active AS BIGINT) AS is_active \
                FROM relay_switch ORDER BY grp LIMIT $1";
    let rows = work.rows(text.to_owned(), vec![CONTROL_ROWS_MAX.into()]).await?;
    rows.iter().map(|row| Ok((Arc::from(row.text("grp")?), row.is_set("is_active")?))).collect()
}

async fn load_holds(work: &mut Work) -> Result<Vec<Hold>, SourceError> {
    let text = "SELECT CAST(kind AS TEXT) AS kind, CAST(name AS TEXT) AS name FROM relay_hold \
                ORDER BY kind, name LIMIT $1";
    let rows = work.rows(text.to_owned(), vec![CONTROL_ROWS_MAX.into()]).await?;
    rows.iter().map(hold_of).collect()
}

fn hold_of(row: &Record) -> Result<Hold, SourceError> {
    let name: Arc<str> = row.text("name")?.into();
    match row.text("kind")?.as_str() {
        "key" => Ok(Hold::Key { slot: slot_of(&name), key: name }),
        "code" => Ok(Hold::Code(name)),
        "endpoint" => Ok(Hold::Endpoint(name)),
        other => Err(SourceError::unfit(format!(
            "the table `relay_hold` holds the unknown kind `{other}`: delete that row"
        ))),
    }
}

async fn load_changes(
    work: &mut Work,
    control: &ControlRow,
    known_version: i64,
) -> Result<Option<Vec<RequestId>>, SourceError> {
    if known_version < control.trimmed_version {
        return Ok(None);
    }
    let text = "SELECT DISTINCT request FROM relay_change WHERE version > $1 ORDER BY request \
                LIMIT $2";
    let values = vec![known_version.into(), (CHANGES_MAX + 1).into()];
    let rows = work.rows(text.to_owned(), values).await?;
    if i64::try_from(rows.len()).is_ok_and(|count| count > CHANGES_MAX) {
        return Ok(None);
    }
    rows.iter().map(|row| Ok(RequestId(row.int("request")?))).collect::<Result<_, _>>().map(Some)
}

/// Writes back what has changed. Last in the transaction: settlements wait for these locks.
async fn store(
    work: &mut Work,
    dialect: Dialect,
    control: &ControlRow,
    ledger: &Ledger,
) -> Result<(), SourceError> {
    if ledger.fence != control.fence {
        let text = "UPDATE relay_control SET fence = $1".to_owned();
        work.change(text, vec![ledger.fence.into()]).await?;
    }
    store_buckets(work, dialect, ledger).await?;
    if !ledger.removed.is_empty() {
        let text = format!("DELETE FROM relay_bucket WHERE {}", dialect.int_in("bucket", 1));
        work.change(text, vec![Value::ints(ledger.removed.iter().map(number))]).await?;
    }
    Ok(())
}

fn number(bucket: &BucketNo) -> i64 {
    i64::try_from(bucket.0).unwrap_or(i64::MAX)
}

/// The rows are locked in the order of their numbers first, as settlements do it.
async fn store_buckets(
    work: &mut Work,
    dialect: Dialect,
    ledger: &Ledger,
) -> Result<(), SourceError> {
    let changed: Vec<&Bucket> =
        ledger.buckets.iter().filter(|bucket| ledger.changed.contains(&bucket.number)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let numbers = Value::ints(changed.iter().map(|bucket| number(&bucket.number)));
    let columns = dialect.table_values(columns_of(&changed));
    if dialect == Dialect::Mysql {
        return mysql::round::store_buckets(work, numbers, columns).await;
    }
    let text = format!(
        "WITH locked AS MATERIALIZED (SELECT bucket FROM relay_bucket WHERE {} ORDER BY bucket {}) \
         UPDATE relay_bucket SET owner = v.owner, fence = v.fence, lease_until = v.lease_until, \
         granted_at = v.granted_at, is_draining = v.is_draining, is_silent = v.is_silent \
         FROM {} JOIN locked ON locked.bucket = v.bucket WHERE relay_bucket.bucket = v.bucket",
        dialect.int_in("bucket", 1),
        dialect.for_update(),
        dialect.table("v", 2, &BUCKET_COLUMNS),
    );
    let mut values = vec![numbers];
    values.extend(columns);
    work.change(text, values).await?;
    Ok(())
}

/// The columns of a table of buckets.
pub(super) const BUCKET_COLUMNS: [(&str, Kind); 7] = [
    ("bucket", Kind::Int),
    ("owner", Kind::Text),
    ("fence", Kind::Int),
    ("lease_until", Kind::Int),
    ("granted_at", Kind::Int),
    ("is_draining", Kind::Int),
    ("is_silent", Kind::Int),
];

fn columns_of(buckets: &[&Bucket]) -> Vec<Value> {
    let owner = |bucket: &&Bucket| bucket.owner.as_ref().map(|owner| owner.to_string());
    vec![
        Value::ints(buckets.iter().map(|bucket| number(&bucket.number))),
        Value::Texts(buckets.iter().map(owner).collect()),
        Value::ints(buckets.iter().map(|bucket| bucket.fence)),
        Value::ints(buckets.iter().map(|bucket| bucket.lease_until_ms)),
        Value::ints(buckets.iter().map(|bucket| bucket.granted_ms)),
        Value::ints(buckets.iter().map(|bucket| i64::from(bucket.is_draining))),
        Value::ints(buckets.iter().map(|bucket| i64::from(bucket.is_silent))),
    ]
}

/// Adds the buckets of a new layout.
pub(super) async fn insert_buckets(
    work: &mut Work,
    dialect: Dialect,
    buckets: &[(BucketNo, SlotRange)],
) -> Result<(), SourceError> {
    let columns = [("bucket", Kind::Int), ("slot_first", Kind::Int), ("slot_last", Kind::Int)];
    let text = format!(
        "INSERT INTO relay_bucket (bucket, slot_first, slot_last) \
         SELECT bucket, slot_first, slot_last FROM {}",
        dialect.table("v", 1, &columns)
    );
    let values = dialect.table_values(vec![
        Value::ints(buckets.iter().map(|(bucket, _)| number(bucket))),
        Value::ints(buckets.iter().map(|(_, slots)| i64::from(slots.first.0))),
        Value::ints(buckets.iter().map(|(_, slots)| i64::from(slots.last.0))),
    ]);
    work.change(text, values).await?;
    Ok(())
}
