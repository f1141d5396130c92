-- Schema of the embedded store, version 1. Instants are epoch milliseconds (UTC); leases are milliseconds of the
-- machine's monotonic clock. The names of the two ledgers are those of the production store.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Columns hold what is searched or guarded by; `document` is JSON of the other fields. `folded` is the
-- case-folded name: LIKE ignores case for ASCII only. A rowid table, because documents can be large.
CREATE TABLE schedules (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    state TEXT NOT NULL,
    revision INTEGER NOT NULL,
    rule_revision INTEGER NOT NULL,
    next_run INTEGER,
    document TEXT NOT NULL
);
CREATE INDEX schedules_name ON schedules (name);
CREATE INDEX schedules_state ON schedules (state, id);
CREATE INDEX schedules_due ON schedules (next_run, id) WHERE state = 'active' AND next_run IS NOT NULL;
CREATE INDEX schedules_exhausted ON schedules (id) WHERE state = 'active' AND next_run IS NULL;
CREATE INDEX schedules_calendars ON schedules (id)
WHERE json_array_length(document, '$.exclude_calendars') > 0;

-- The tags inside the documents, kept by the database itself.
CREATE TABLE schedule_tags (
    tag TEXT NOT NULL,
    schedule_id TEXT NOT NULL,
    PRIMARY KEY (tag, schedule_id)
) WITHOUT ROWID;
CREATE INDEX schedule_tags_schedule ON schedule_tags (schedule_id);
CREATE TRIGGER schedule_tagged AFTER INSERT ON schedules WHEN json_array_length(new.document, '$.tags') > 0
BEGIN INSERT OR IGNORE INTO schedule_tags SELECT value, new.id FROM json_each(new.document, '$.tags'); END;
CREATE TRIGGER schedule_untagged AFTER DELETE ON schedules WHEN json_array_length(old.document, '$.tags') > 0
BEGIN DELETE FROM schedule_tags WHERE schedule_id = old.id; END;
CREATE TRIGGER schedule_retagged AFTER UPDATE OF document ON schedules
WHEN json_extract(old.document, '$.tags') IS NOT json_extract(new.document, '$.tags')
BEGIN DELETE FROM schedule_tags WHERE schedule_id = old.id; INSERT OR IGNORE INTO schedule_tags SELECT value, new.id FROM json_each(new.document, '$.tags'); END;

-- Live events. `status` is a JSON array of [time, status, message], `state` the newest of them; `attempts` a JSON
-- array of [time, duration_ms, status_code, error, response]; `span` is [first, last, count].
CREATE TABLE events (
    id TEXT PRIMARY KEY NOT NULL,
    schedule_id TEXT NOT NULL,
    run_time INTEGER NOT NULL,
    due INTEGER NOT NULL,
    kind TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts TEXT,
    lateness_ms REAL,
    replay_of TEXT,
    webhook_id TEXT,
    span TEXT
) WITHOUT ROWID;
CREATE INDEX events_schedule ON events (schedule_id, run_time, id);
CREATE INDEX events_run_time ON events (run_time, id);

-- Finished events: the same columns, when they were archived, and how many occurrences the entry stands for.
CREATE TABLE archived_events (
    id TEXT PRIMARY KEY NOT NULL,
    schedule_id TEXT NOT NULL,
    run_time INTEGER NOT NULL,
    due INTEGER NOT NULL,
    kind TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts TEXT,
    lateness_ms REAL,
    replay_of TEXT,
    webhook_id TEXT,
    span TEXT,
    archived_at INTEGER NOT NULL,
    occurrences INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX archived_events_schedule ON archived_events (schedule_id, run_time, id);
CREATE INDEX archived_events_run_time ON archived_events (run_time, id);
-- The few entries that stand for several occurrences, found by where they end.
CREATE INDEX archived_events_spans ON archived_events (schedule_id, json_extract(span, '$[1]'))
WHERE span IS NOT NULL;
-- What did not end as it should, found without reading all that did.
CREATE INDEX archived_events_exceptions ON archived_events (state, run_time, id) WHERE state <> 'completed';
CREATE INDEX archived_events_schedule_exceptions ON archived_events (schedule_id, state, run_time, id)
WHERE state <> 'completed';
CREATE INDEX archived_events_archived_at ON archived_events (archived_at, id);

-- All three queues in one table: an id cannot stand in two of them. `place` is ready, worker or in_flight;
-- `worker` is who holds the claim while in flight.
CREATE TABLE queue (
    event_id TEXT PRIMARY KEY NOT NULL,
    place TEXT NOT NULL,
    due INTEGER NOT NULL,
    worker TEXT
) WITHOUT ROWID;
CREATE INDEX queue_place ON queue (place, due, event_id);
CREATE INDEX queue_claims ON queue (worker, event_id) WHERE worker IS NOT NULL;

-- `expires` is monotonic; `length` tells a lease from before a reboot, which would seem to last for ever.
CREATE TABLE leases (
    worker TEXT PRIMARY KEY NOT NULL,
    expires INTEGER NOT NULL,
    length INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE heartbeats (
    instance TEXT PRIMARY KEY NOT NULL,
    daemon TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX heartbeats_seen_at ON heartbeats (seen_at);

-- Keys of the REST service; `digest` is the SHA-256 of the secret.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER
) WITHOUT ROWID;

-- Holiday calendars; `document` is JSON: holidays as [day, title], closures as [start, end, title].
CREATE TABLE calendars (
    name TEXT PRIMARY KEY NOT NULL,
    version TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    document TEXT NOT NULL
);

-- Requests made under an Idempotency-Key; `id` is a hash of the key. `headers` is JSON; without an answer its
-- three columns are NULL.
CREATE TABLE idempotency_keys (
    id TEXT PRIMARY KEY NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    held_until INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    status INTEGER,
    headers TEXT,
    body TEXT
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at, id);

PRAGMA user_version = 1;
