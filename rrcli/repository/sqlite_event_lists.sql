-- Places are (run_time, id); `:edge_*` is where the last part ended, or the edge of the range.

-- name: pending
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM events
WHERE (run_time, id) > (:edge_time, :edge_id) AND run_time < :end AND (:state IS NULL OR state = :state)
ORDER BY run_time, id LIMIT :limit

-- name: pending_of_schedule
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM events
WHERE schedule_id = :schedule_id AND (run_time, id) > (:edge_time, :edge_id) AND run_time < :end
  AND (:state IS NULL OR state = :state)
ORDER BY run_time, id LIMIT :limit

-- name: history
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events
WHERE (run_time, id) < (:edge_time, :edge_id) AND run_time >= :start AND (:state IS NULL OR state = :state)
ORDER BY run_time DESC, id DESC LIMIT :limit

-- name: history_of_schedule
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events
WHERE schedule_id = :schedule_id AND (run_time, id) < (:edge_time, :edge_id) AND run_time >= :start
  AND (:state IS NULL OR state = :state)
ORDER BY run_time DESC, id DESC LIMIT :limit

-- name: exceptions
-- What did not end as it should has an index of its own; `<>` tells the planner that it may use it.
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events INDEXED BY archived_events_exceptions
WHERE state = :state AND state <> 'completed' AND (run_time, id) < (:edge_time, :edge_id) AND run_time >= :start
ORDER BY run_time DESC, id DESC LIMIT :limit

-- name: exceptions_of_schedule
SELECT id, schedule_id, run_time, due, kind, revision, created_at, status, attempts, lateness_ms, replay_of, webhook_id, span
FROM archived_events INDEXED BY archived_events_schedule_exceptions
WHERE schedule_id = :schedule_id AND state = :state AND state <> 'completed'
  AND (run_time, id) < (:edge_time, :edge_id) AND run_time >= :start
ORDER BY run_time DESC, id DESC LIMIT :limit
