-- name: insert
INSERT INTO schedules (id, name, folded, state, revision, rule_revision, next_run, document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: get
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedules WHERE id IN (SELECT value FROM json_each(:ids))

-- name: known
SELECT id FROM schedules WHERE id IN (SELECT value FROM json_each(:ids))

-- name: by_name
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedules WHERE name = :name ORDER BY id LIMIT :limit

-- name: by_prefix
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedules WHERE id >= :first AND id < :last ORDER BY id LIMIT :limit

-- name: find
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedules
WHERE (:name IS NULL OR instr(folded, :name) > 0)
  AND (:tag IS NULL OR EXISTS (SELECT 1 FROM json_each(document, '$.tags') WHERE value = :tag))
ORDER BY id DESC LIMIT :limit OFFSET :offset

-- name: find_in_state
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedules
WHERE state = :state
  AND (:name IS NULL OR instr(folded, :name) > 0)
  AND (:tag IS NULL OR EXISTS (SELECT 1 FROM json_each(document, '$.tags') WHERE value = :tag))
ORDER BY id DESC LIMIT :limit OFFSET :offset

-- name: following
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedules WHERE id < :after_id AND (:name IS NULL OR instr(folded, :name) > 0)
ORDER BY id DESC LIMIT :limit

-- name: following_in_state
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedules WHERE state = :state AND id < :after_id AND (:name IS NULL OR instr(folded, :name) > 0)
ORDER BY id DESC LIMIT :limit

-- name: following_with_tag
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedule_tags CROSS JOIN schedules ON id = schedule_id
WHERE tag = :tag AND schedule_id < :after_id AND (:state IS NULL OR state = :state)
  AND (:name IS NULL OR instr(folded, :name) > 0)
ORDER BY schedule_id DESC LIMIT :limit

-- name: count
SELECT count(*) FROM schedules

-- name: count_in_state
SELECT count(*) FROM schedules WHERE state = :state

-- name: count_matches
SELECT count(*) FROM schedules
WHERE (:state IS NULL OR state = :state)
  AND (:name IS NULL OR instr(folded, :name) > 0)
  AND (:tag IS NULL OR EXISTS (SELECT 1 FROM json_each(document, '$.tags') WHERE value = :tag))

-- name: replace
UPDATE schedules
SET id = ?1, name = ?2, folded = ?3, state = ?4, revision = ?5, rule_revision = ?6, next_run = ?7, document = ?8
WHERE id = ?1 AND revision = ?9

-- name: remove
DELETE FROM schedules WHERE id = :id

-- name: due
-- The planner, which knows no numbers, would rather search all active schedules and sort them.
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedules INDEXED BY schedules_due
WHERE state = 'active' AND next_run IS NOT NULL AND next_run < :before AND next_run >= :since
ORDER BY next_run, id LIMIT :limit

-- name: advance
-- No watermark (NULL) is later than any: an exhausted schedule stays exhausted.
UPDATE schedules SET next_run = ?3
WHERE id = ?1 AND rule_revision = ?2 AND state = 'active' AND (?3 IS NULL OR ?3 > next_run)

-- name: exhausted
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedules INDEXED BY schedules_exhausted
WHERE state = 'active' AND next_run IS NULL ORDER BY id LIMIT :limit

-- name: using_calendar
SELECT id, name, state, revision, rule_revision, next_run, document
FROM schedules INDEXED BY schedules_calendars
WHERE json_array_length(document, '$.exclude_calendars') > 0 AND id > :after_id
  AND EXISTS (SELECT 1 FROM json_each(document, '$.exclude_calendars') WHERE value = :name)
ORDER BY id LIMIT :limit

-- name: counts
SELECT state, count(*) FROM schedules GROUP BY state
