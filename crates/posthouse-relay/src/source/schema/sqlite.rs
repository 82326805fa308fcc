//! The schema in SQLite's words.
//!
//! SQLite has no MD5, so a writer may leave `slot` empty: every reader computes it then, from the
//! business id or else from the request id, and always gets the same; an index of their own finds
//! such requests by their keys. Defaults use only what SQLite 3.35 knows, for writers bring their
//! own library.
//!
//! Whoever reads a column walks over all that stands before it in its row, however many pages that
//! is. So the body comes last, and nothing else may be long.

/// Every statement, each of which changes nothing where the thing is there already.
pub(super) const DDL: &str = "\
CREATE TABLE IF NOT EXISTS relay_request (
  id           INTEGER  PRIMARY KEY AUTOINCREMENT,
  request_id   TEXT     NOT NULL UNIQUE DEFAULT (lower(hex(randomblob(16))))
    CHECK (length(request_id) <= 64),
  code         TEXT     NOT NULL CHECK (length(code) <= 64),
  grp          TEXT     CHECK (length(grp) <= 64),
  region       TEXT     CHECK (length(region) <= 32),
  protocol     TEXT     CHECK (length(protocol) <= 16),
  service      TEXT     CHECK (length(service) <= 128),
  method       TEXT     CHECK (length(method) <= 128),
  headers      TEXT     CHECK (length(CAST(headers AS BLOB)) <= 16384),
  content_type TEXT     CHECK (length(content_type) <= 128),
  business_id  TEXT     CHECK (length(business_id) <= 128),
  key_seq      INTEGER  CHECK (key_seq > 0),
  slot         INTEGER  CHECK (slot BETWEEN 0 AND 1023),
  priority     INTEGER  NOT NULL DEFAULT 4,
  state        INTEGER  NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 7),
  window_name  TEXT     CHECK (length(window_name) <= 64),
  due_at       INTEGER  NOT NULL DEFAULT 0,
  expires_at   INTEGER,
  attempts     INTEGER  NOT NULL DEFAULT 0,
  last_status  INTEGER,
  last_error   TEXT     CHECK (length(last_error) <= 500),
  fence        INTEGER  NOT NULL DEFAULT 0,
  created_at   INTEGER  NOT NULL
    DEFAULT (CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)),
  updated_at   INTEGER,
  done_at      INTEGER,
  traceparent  TEXT     CHECK (length(traceparent) <= 64),
  body         BLOB     NOT NULL
);
CREATE INDEX IF NOT EXISTS relay_request_open ON relay_request (id) WHERE state < 3;
CREATE INDEX IF NOT EXISTS relay_request_slot ON relay_request (slot, id) WHERE state < 3;
CREATE INDEX IF NOT EXISTS relay_request_blocked ON relay_request (id) WHERE state = 2;
CREATE UNIQUE INDEX IF NOT EXISTS relay_request_key_seq ON relay_request (business_id, key_seq)
  WHERE key_seq IS NOT NULL;
CREATE INDEX IF NOT EXISTS relay_request_key_open ON relay_request (business_id, key_seq)
  WHERE key_seq IS NOT NULL AND state < 3;
CREATE INDEX IF NOT EXISTS relay_request_unslotted ON relay_request (business_id, id)
  WHERE slot IS NULL AND state < 3;
CREATE TABLE IF NOT EXISTS relay_control (
  one             INTEGER PRIMARY KEY CHECK (one = 1),
  version         INTEGER NOT NULL,
  trimmed_version INTEGER NOT NULL,
  layout          INTEGER NOT NULL,
  buckets         INTEGER NOT NULL,
  fence           INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS relay_bucket (
  bucket      INTEGER PRIMARY KEY,
  slot_first  INTEGER NOT NULL,
  slot_last   INTEGER NOT NULL,
  owner       TEXT,
  fence       INTEGER NOT NULL DEFAULT 0,
  lease_until INTEGER NOT NULL DEFAULT 0,
  granted_at  INTEGER NOT NULL DEFAULT 0,
  is_draining INTEGER NOT NULL DEFAULT 0,
  is_silent   INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS relay_node (
  node        TEXT    PRIMARY KEY,
  seen_at     INTEGER NOT NULL,
  lives_until INTEGER NOT NULL,
  is_wanting  INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS relay_switch (
  grp       TEXT    PRIMARY KEY,
  is_active INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS relay_hold (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (kind, name)
);
CREATE TABLE IF NOT EXISTS relay_change (
  version    INTEGER NOT NULL,
  request    INTEGER NOT NULL,
  PRIMARY KEY (version, request)
);
CREATE TABLE IF NOT EXISTS relay_archive (
  archive_no   INTEGER  PRIMARY KEY AUTOINCREMENT,
  id           INTEGER  NOT NULL,
  request_id   TEXT     NOT NULL,
  code         TEXT     NOT NULL,
  grp          TEXT,
  region       TEXT,
  protocol     TEXT,
  service      TEXT,
  method       TEXT,
  headers      TEXT,
  content_type TEXT,
  business_id  TEXT,
  key_seq      INTEGER,
  slot         INTEGER,
  priority     INTEGER  NOT NULL,
  state        INTEGER  NOT NULL,
  window_name  TEXT,
  due_at       INTEGER  NOT NULL,
  expires_at   INTEGER,
  attempts     INTEGER  NOT NULL,
  last_status  INTEGER,
  last_error   TEXT,
  fence        INTEGER  NOT NULL,
  created_at   INTEGER  NOT NULL,
  updated_at   INTEGER,
  done_at      INTEGER,
  traceparent  TEXT,
  archived_at  INTEGER  NOT NULL,
  body         BLOB     NOT NULL
);
CREATE INDEX IF NOT EXISTS relay_archive_id ON relay_archive (id);
CREATE INDEX IF NOT EXISTS relay_archive_name ON relay_archive (request_id);
CREATE INDEX IF NOT EXISTS relay_archive_time ON relay_archive (archived_at);
CREATE TABLE IF NOT EXISTS relay_retention (
  one          INTEGER  PRIMARY KEY CHECK (one = 1),
  owner        TEXT,
  lease_until  INTEGER  NOT NULL,
  after_id     INTEGER  NOT NULL,
  walk_removed INTEGER  NOT NULL,
  ended_at     INTEGER,
  archived     INTEGER  NOT NULL,
  deleted      INTEGER  NOT NULL,
  forgotten    INTEGER  NOT NULL
);
CREATE TABLE IF NOT EXISTS relay_schema (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL
);
";

/// What the table says of states, by which a table that says so is known.
pub(super) const STATE_CHECK: &str = "CHECK (state BETWEEN 0 AND 7)";

/// The same for a table that does not say so.
pub(super) const STATE_TRIGGERS: &str = "\
CREATE TRIGGER IF NOT EXISTS relay_request_state_insert BEFORE INSERT ON relay_request
  WHEN NOT (NEW.state BETWEEN 0 AND 7)
  BEGIN SELECT RAISE(ABORT, 'CHECK: state is a number from 0 to 7'); END;
CREATE TRIGGER IF NOT EXISTS relay_request_state_update BEFORE UPDATE OF state ON relay_request
  WHEN NOT (NEW.state BETWEEN 0 AND 7)
  BEGIN SELECT RAISE(ABORT, 'CHECK: state is a number from 0 to 7'); END;
";
