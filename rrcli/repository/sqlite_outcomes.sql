-- name: latest
SELECT event.schedule_id, event.id, event.run_time, event.state, event.lateness_ms,
    json_extract(event.attempts, '$[#-1][1]')
FROM json_each(:schedule_ids) AS wanted
JOIN archived_events AS event ON event.id IN (
    SELECT id FROM archived_events WHERE schedule_id = wanted.value
    ORDER BY run_time DESC, id DESC LIMIT :limit
)
ORDER BY wanted.key, event.run_time DESC, event.id DESC

-- name: tally
SELECT edge.key, event.state, sum(event.occurrences)
FROM json_each(:edges) AS edge
JOIN archived_events AS event
ON event.schedule_id = :schedule_id AND event.run_time >= edge.value
    AND event.run_time < json_extract(:edges, '$[' || (edge.key + 1) || ']')
GROUP BY edge.key, event.state
