-- name: insert
INSERT INTO events (
    id, schedule_id, run_time, due, kind, revision, created_at, state, status, attempts, lateness_ms, replay_of, webhook_id, span
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: get
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM events WHERE id IN (SELECT value FROM json_each(:ids))

-- name: find_archived
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events WHERE id = :id

-- name: live_by_prefix
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM events WHERE id >= :first AND id < :last ORDER BY id LIMIT :limit

-- name: archived_by_prefix
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events WHERE id >= :first AND id < :last ORDER BY id LIMIT :limit

-- name: pending
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM events ORDER BY run_time, id LIMIT :limit OFFSET :offset

-- name: pending_count
SELECT count(*) FROM (SELECT 1 FROM events LIMIT :most)

-- name: pending_of_schedule
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM events WHERE schedule_id = :schedule_id ORDER BY run_time, id LIMIT :limit OFFSET :offset

-- name: pending_of_schedule_count
SELECT count(*) FROM (SELECT 1 FROM events WHERE schedule_id = :schedule_id LIMIT :most)

-- name: history
-- The page is cut on the index alone; only its rows are read.
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events
WHERE id IN (SELECT id FROM archived_events ORDER BY run_time DESC, id DESC LIMIT :limit OFFSET :offset)
ORDER BY +run_time DESC, +id DESC

-- name: history_count
SELECT count(*) FROM (SELECT 1 FROM archived_events LIMIT :most)

-- name: history_of_schedule
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events
WHERE id IN (
    SELECT id FROM archived_events WHERE schedule_id = :schedule_id
    ORDER BY run_time DESC, id DESC LIMIT :limit OFFSET :offset
)
ORDER BY +run_time DESC, +id DESC

-- name: history_of_schedule_count
SELECT count(*) FROM (SELECT 1 FROM archived_events WHERE schedule_id = :schedule_id LIMIT :most)

-- name: dispatched
UPDATE events
SET state = 'worker_queue', status = json_insert(status, '$[#]', json_array(:now, 'worker_queue', :message))
WHERE id IN (SELECT value FROM json_each(:ids)) AND state IN ('ready_queue', 'retry') AND due <= :due_by
    AND json_valid(status)

-- name: save
UPDATE events
SET schedule_id = ?2, run_time = ?3, due = ?4, kind = ?5, revision = ?6, created_at = ?7, state = ?8, status = ?9,
    attempts = ?10, lateness_ms = ?11, replay_of = ?12, webhook_id = ?13, span = ?14
WHERE id = ?1 AND NOT CASE
    WHEN json_valid(attempts) THEN json_array_length(attempts) > ifnull(json_array_length(?10), 0)
    ELSE 0
END

-- name: archive
INSERT INTO archived_events (
    id, schedule_id, run_time, due, kind, revision, created_at, state, status, attempts, lateness_ms, replay_of, webhook_id, span,
    archived_at, occurrences
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING

-- name: record_skips
-- Only a superseded entry gives way, and a run of skips to a longer one: what was done stays on record.
INSERT INTO archived_events (
    id, schedule_id, run_time, due, kind, revision, created_at, state, status, attempts, lateness_ms, replay_of, webhook_id, span,
    archived_at, occurrences
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE
SET schedule_id = excluded.schedule_id, run_time = excluded.run_time, due = excluded.due, kind = excluded.kind,
    revision = excluded.revision, created_at = excluded.created_at, state = excluded.state,
    status = excluded.status, attempts = excluded.attempts, lateness_ms = excluded.lateness_ms,
    replay_of = excluded.replay_of, webhook_id = excluded.webhook_id, span = excluded.span, archived_at = excluded.archived_at,
    occurrences = excluded.occurrences
WHERE archived_events.state = 'superseded'
   OR archived_events.state = 'skipped' AND excluded.occurrences > archived_events.occurrences

-- name: discard
DELETE FROM events WHERE id IN (SELECT value FROM json_each(:ids)) RETURNING id

-- name: live
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM events WHERE id > :after_id ORDER BY id LIMIT :limit

-- name: standings
SELECT id, due, state FROM events WHERE id > :after_id ORDER BY id LIMIT :limit

-- name: unfinished
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM events WHERE schedule_id = :schedule_id AND run_time < :before ORDER BY run_time, id LIMIT :limit

-- name: between
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM events WHERE schedule_id = :schedule_id AND run_time >= :start AND run_time < :end
UNION ALL
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events WHERE schedule_id = :schedule_id AND run_time >= :start AND run_time < :end
ORDER BY run_time, id LIMIT :limit

-- name: covering
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events INDEXED BY archived_events_spans
WHERE schedule_id = :schedule_id AND span IS NOT NULL AND json_extract(span, '$[1]') >= :instant
  AND run_time < :instant

-- name: archived
-- As `drop_revocable` has it: what was superseded, or taken out before its time, may be on again.
SELECT id FROM archived_events
WHERE id IN (SELECT value FROM json_each(:ids))
  AND NOT (state = 'superseded' OR state = 'skipped' AND archived_at < run_time)

-- name: results
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events INDEXED BY archived_events_schedule
WHERE schedule_id = :schedule_id AND kind = 'scheduled' AND state IN ('completed', 'error')
ORDER BY run_time DESC, id DESC LIMIT :limit

-- name: drop_revocable
DELETE FROM archived_events
WHERE id IN (SELECT value FROM json_each(:ids))
  AND (state = 'superseded' OR state = 'skipped' AND archived_at < run_time)

-- name: forget_live
DELETE FROM events WHERE schedule_id = :schedule_id RETURNING id

-- name: forget_archived
DELETE FROM archived_events WHERE schedule_id = :schedule_id

-- name: purge
DELETE FROM archived_events WHERE id IN (
    SELECT id FROM archived_events WHERE archived_at < :before ORDER BY archived_at, id LIMIT :limit
)

-- name: live_count
SELECT count(*) FROM events

-- name: counts
SELECT state, count(*) FROM (SELECT state FROM events ORDER BY id LIMIT :limit) GROUP BY state
