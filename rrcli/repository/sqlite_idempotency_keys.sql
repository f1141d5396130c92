-- name: get
SELECT id, fingerprint, created_at, held_until, attempt, status, headers, body
FROM idempotency_keys WHERE id = :id

-- name: put
INSERT OR REPLACE INTO idempotency_keys (id, fingerprint, created_at, held_until, attempt, status, headers, body)
VALUES (:id, :fingerprint, :created_at, :held_until, :attempt, NULL, NULL, NULL)

-- name: finish
UPDATE idempotency_keys SET status = :status, headers = :headers, body = :body
WHERE id = :id AND created_at = :created_at AND attempt = :attempt

-- name: release
UPDATE idempotency_keys SET held_until = 0
WHERE id = :id AND created_at = :created_at AND attempt = :attempt AND status IS NULL

-- name: forget
DELETE FROM idempotency_keys
WHERE id = :id AND created_at = :created_at AND attempt = :attempt AND status IS NULL

-- name: expire
DELETE FROM idempotency_keys WHERE id IN (
    SELECT id FROM idempotency_keys WHERE created_at <= :before ORDER BY created_at, id LIMIT :limit
)
