//! The schema in the words of MySQL, 8.0.17 or later, and MariaDB, 10.6 or later.
//!
//! These databases have no index on a part of a table. So there are columns that are empty in all
//! rows but those that belong into an index; they are generated, and kept, for indexes on columns
//! that are computed anew have cost people their data. `body_bytes` is one of them because neither
//! server can tell the length of a long body without reading it.
//!
//! Texts are compared byte for byte, spaces at their ends too. What that is called depends on the
//! server: MariaDB reads the comment with the M, MySQL the other one.

/// Every statement, each of which changes nothing where the thing is there already.
pub(super) const DDL: &str = "\
CREATE TABLE IF NOT EXISTS relay_request (
  id           BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  request_id   VARCHAR(64)  NOT NULL DEFAULT (uuid()),
  code         VARCHAR(64)  NOT NULL,
  grp          VARCHAR(64),
  region       VARCHAR(32),
  protocol     VARCHAR(16),
  service      VARCHAR(128),
  method       VARCHAR(128),
  headers      TEXT,
  content_type VARCHAR(128),
  body         LONGBLOB     NOT NULL,
  business_id  VARCHAR(128),
  key_seq      BIGINT       CHECK (key_seq > 0),
  slot         SMALLINT     GENERATED ALWAYS AS
    (conv(substr(md5(coalesce(business_id, request_id)), 1, 4), 16, 10) % 1024) STORED,
  priority     SMALLINT     NOT NULL DEFAULT 4,
  state        SMALLINT     NOT NULL DEFAULT 0,
  window_name  VARCHAR(64),
  due_at       BIGINT       NOT NULL DEFAULT 0,
  expires_at   BIGINT,
  attempts     INT          NOT NULL DEFAULT 0,
  last_status  INT,
  last_error   VARCHAR(500),
  fence        BIGINT       NOT NULL DEFAULT 0,
  created_at   BIGINT       NOT NULL
    DEFAULT (timestampdiff(MICROSECOND, '1970-01-01', utc_timestamp(3)) DIV 1000),
  updated_at   BIGINT,
  done_at      BIGINT,
  traceparent  VARCHAR(64),
  body_bytes   BIGINT       GENERATED ALWAYS AS (octet_length(body)) STORED,
  is_open      TINYINT      GENERATED ALWAYS AS (if(state < 3, 1, NULL)) STORED,
  is_blocked   TINYINT      GENERATED ALWAYS AS (if(state = 2, 1, NULL)) STORED,
  open_slot    SMALLINT     GENERATED ALWAYS AS (if(state < 3, slot, NULL)) STORED,
  number_key   VARCHAR(128) GENERATED ALWAYS AS (if(key_seq > 0, business_id, NULL)) STORED,
  open_key     VARCHAR(128) GENERATED ALWAYS AS
    (if(key_seq > 0 AND state < 3, business_id, NULL)) STORED,
  UNIQUE INDEX relay_request_name (request_id),
  INDEX relay_request_open (is_open, id, slot),
  INDEX relay_request_slot (open_slot, id),
  INDEX relay_request_blocked (is_blocked, id),
  UNIQUE INDEX relay_request_key_seq (number_key, key_seq),
  INDEX relay_request_key_open (open_key, key_seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  COLLATE /*M!100600 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */;
CREATE TABLE IF NOT EXISTS relay_control (
  one             SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
  version         BIGINT   NOT NULL,
  trimmed_version BIGINT   NOT NULL,
  layout          BIGINT   NOT NULL,
  buckets         BIGINT   NOT NULL,
  fence           BIGINT   NOT NULL
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS relay_bucket (
  bucket      BIGINT   NOT NULL PRIMARY KEY,
  slot_first  SMALLINT NOT NULL,
  slot_last   SMALLINT NOT NULL,
  owner       VARCHAR(128),
  fence       BIGINT   NOT NULL DEFAULT 0,
  lease_until BIGINT   NOT NULL DEFAULT 0,
  granted_at  BIGINT   NOT NULL DEFAULT 0,
  is_draining SMALLINT NOT NULL DEFAULT 0,
  is_silent   SMALLINT NOT NULL DEFAULT 0
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  COLLATE /*M!100600 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */;
CREATE TABLE IF NOT EXISTS relay_node (
  node        VARCHAR(128) NOT NULL PRIMARY KEY,
  seen_at     BIGINT       NOT NULL,
  lives_until BIGINT       NOT NULL,
  is_wanting  SMALLINT     NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  COLLATE /*M!100600 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */;
CREATE TABLE IF NOT EXISTS relay_switch (
  grp       VARCHAR(64) NOT NULL PRIMARY KEY,
  is_active SMALLINT    NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  COLLATE /*M!100600 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */;
CREATE TABLE IF NOT EXISTS relay_hold (
  kind VARCHAR(16)  NOT NULL,
  name VARCHAR(128) NOT NULL,
  PRIMARY KEY (kind, name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  COLLATE /*M!100600 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */;
CREATE TABLE IF NOT EXISTS relay_change (
  version BIGINT NOT NULL,
  request BIGINT NOT NULL,
  PRIMARY KEY (version, request)
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS relay_archive (
  archive_no   BIGINT   NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id           BIGINT   NOT NULL,
  request_id   VARCHAR(64)  NOT NULL,
  code         VARCHAR(64)  NOT NULL,
  grp          VARCHAR(64),
  region       VARCHAR(32),
  protocol     VARCHAR(16),
  service      VARCHAR(128),
  method       VARCHAR(128),
  headers      TEXT,
  content_type VARCHAR(128),
  body         LONGBLOB   NOT NULL,
  business_id  VARCHAR(128),
  key_seq      BIGINT,
  slot         SMALLINT,
  priority     SMALLINT NOT NULL,
  state        SMALLINT NOT NULL,
  window_name  VARCHAR(64),
  due_at       BIGINT   NOT NULL,
  expires_at   BIGINT,
  attempts     INT      NOT NULL,
  last_status  INT,
  last_error   VARCHAR(500),
  fence        BIGINT   NOT NULL,
  created_at   BIGINT   NOT NULL,
  updated_at   BIGINT,
  done_at      BIGINT,
  traceparent  VARCHAR(64),
  archived_at  BIGINT   NOT NULL,
  body_bytes   BIGINT   GENERATED ALWAYS AS (octet_length(body)) STORED,
  INDEX relay_archive_id (id),
  INDEX relay_archive_name (request_id),
  INDEX relay_archive_time (archived_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  COLLATE /*M!100600 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */;
CREATE TABLE IF NOT EXISTS relay_retention (
  one          SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
  owner        VARCHAR(128),
  lease_until  BIGINT   NOT NULL,
  after_id     BIGINT   NOT NULL,
  walk_removed BIGINT   NOT NULL,
  ended_at     BIGINT,
  archived     BIGINT   NOT NULL,
  deleted      BIGINT   NOT NULL,
  forgotten    BIGINT   NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  COLLATE /*M!100600 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */;
CREATE TABLE IF NOT EXISTS relay_schema (
  one     SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
  version BIGINT   NOT NULL
) ENGINE = InnoDB;
";

/// What a table lacks that was made without numbers, beside the column itself.
pub(super) const ADD_KEYS: &str = "\
ALTER TABLE relay_request
  ADD COLUMN number_key VARCHAR(128) GENERATED ALWAYS AS
    (if(key_seq > 0, business_id, NULL)) STORED,
  ADD COLUMN open_key VARCHAR(128) GENERATED ALWAYS AS
    (if(key_seq > 0 AND state < 3, business_id, NULL)) STORED,
  ADD UNIQUE INDEX relay_request_key_seq (number_key, key_seq),
  ADD INDEX relay_request_key_open (open_key, key_seq)";
