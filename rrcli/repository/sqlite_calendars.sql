-- name: put
INSERT INTO calendars (name, version, updated_at, document) VALUES (?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE
SET version = excluded.version, updated_at = excluded.updated_at, document = excluded.document

-- name: get
SELECT name, version, updated_at, document FROM calendars WHERE name IN (SELECT value FROM json_each(:names))

-- name: versions
SELECT name, version FROM calendars WHERE name IN (SELECT value FROM json_each(:names))

-- name: list
SELECT name, version, updated_at, document FROM calendars ORDER BY name

-- name: remove
DELETE FROM calendars WHERE name = :name
