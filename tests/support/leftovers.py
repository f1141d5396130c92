"""What a deleted schedule left behind."""

from rrcli.repository.base import Repository


def leftovers(repository: Repository, schedule_id: str) -> dict[str, int]:
    """Place -> number of things that belong to the schedule; empty queues are part of the promise."""
    events = repository.events
    depths = repository.queues.depths()
    found = {
        "schedules": len(repository.schedules.get([schedule_id])),
        "events": events.pending(schedule_id, limit=1).total,
        "archived_events": events.history(schedule_id, limit=1).total,
        "ready_queue": depths.ready,
        "worker_queue": depths.worker,
        "in_flight": depths.in_flight,
    }
    return {place: number for place, number in found.items() if number}
