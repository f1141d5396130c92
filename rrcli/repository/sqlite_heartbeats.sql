-- name: beat
INSERT INTO heartbeats (instance, daemon, host, pid, started_at, seen_at, detail) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (instance) DO UPDATE
SET daemon = excluded.daemon, host = excluded.host, pid = excluded.pid, started_at = excluded.started_at,
    seen_at = excluded.seen_at, detail = excluded.detail

-- name: forget
DELETE FROM heartbeats WHERE seen_at < :before

-- name: stop
DELETE FROM heartbeats WHERE instance = :instance

-- name: list
SELECT instance, daemon, host, pid, started_at, seen_at, detail
FROM heartbeats WHERE seen_at >= :since ORDER BY daemon, instance
