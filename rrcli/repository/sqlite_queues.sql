-- name: add
INSERT INTO queue (event_id, place, due) VALUES (?, 'ready', ?) ON CONFLICT (event_id) DO NOTHING

-- name: head
SELECT due FROM queue WHERE place = 'ready' ORDER BY due, event_id LIMIT 1

-- name: due
SELECT event_id FROM queue WHERE place = 'ready' AND due <= :now ORDER BY due, event_id LIMIT :limit

-- name: promote
-- By id: the planner, which knows no numbers, would rather look through all that is ready (hence the +).
UPDATE queue SET place = 'worker' WHERE event_id IN (SELECT value FROM json_each(:ids)) AND +place = 'ready'

-- name: claim
UPDATE queue SET place = 'in_flight', worker = :worker
WHERE event_id IN (SELECT event_id FROM queue WHERE place = 'worker' ORDER BY due, event_id LIMIT :limit)
RETURNING due, event_id

-- name: lease
INSERT INTO leases (worker, expires, length) VALUES (:worker, :now + :length, :length)
ON CONFLICT (worker) DO UPDATE SET expires = excluded.expires, length = excluded.length

-- name: extend
UPDATE leases SET expires = :now + :length, length = :length
WHERE worker = :worker AND expires > :now AND expires <= :now + length

-- name: expired
SELECT worker FROM leases WHERE expires <= :now OR expires > :now + length

-- name: return_claims
UPDATE queue SET place = 'worker', worker = NULL WHERE worker = :worker

-- name: end_lease
DELETE FROM leases WHERE worker = :worker

-- name: held
SELECT event_id FROM queue WHERE worker = :worker

-- name: retake
INSERT INTO queue (event_id, place, due, worker) VALUES (?, 'in_flight', ?, ?)
ON CONFLICT (event_id) DO UPDATE SET place = 'in_flight', due = excluded.due, worker = excluded.worker
WHERE queue.worker IS NULL

-- name: foreign
SELECT event_id FROM queue WHERE event_id IN (SELECT value FROM json_each(:ids)) AND worker <> :worker

-- name: acknowledge
DELETE FROM queue WHERE event_id IN (SELECT value FROM json_each(:ids)) AND worker = :worker

-- name: retry
UPDATE queue SET place = 'ready', due = ?3, worker = NULL WHERE event_id = ?1 AND worker = ?2

-- name: withdraw
DELETE FROM queue WHERE event_id IN (SELECT value FROM json_each(:ids)) AND worker IS NULL RETURNING event_id

-- name: present
SELECT event_id FROM queue WHERE event_id IN (SELECT value FROM json_each(:ids))

-- name: depths
SELECT place, count(*) FROM queue GROUP BY place

-- name: incarnation
SELECT value FROM meta WHERE key = 'incarnation'

-- name: make_incarnation
INSERT INTO meta (key, value) VALUES ('incarnation', :token) ON CONFLICT (key) DO NOTHING
