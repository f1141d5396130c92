-- name: insert
INSERT INTO api_keys (id, name, scope, digest, created_at, last_used_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING

-- name: get
SELECT id, name, scope, digest, created_at, last_used_at, revoked_at FROM api_keys WHERE id = :id

-- name: list
SELECT id, name, scope, digest, created_at, last_used_at, revoked_at FROM api_keys ORDER BY created_at, id

-- name: exist
SELECT EXISTS (SELECT 1 FROM api_keys)

-- name: used
UPDATE api_keys SET last_used_at = :now WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :now)

-- name: revoke
UPDATE api_keys SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL
