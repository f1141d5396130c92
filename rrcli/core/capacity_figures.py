"""What one schedule and one event cost, as last measured; made by `make bench` (tests/benchmarks/page.py)."""

from rrcli.core.capacity import Figures, Size, Stage

MEASURED = Figures(
    measured="2026-11-23 on 2 processors (AMD EPYC)",
    prequeue=Stage(
        busy_us=280.4,
        process_cpu_us=227.5,
        mongod_cpu_us=50.0,
        redis_cpu_us=5.0,
        mongo_round_trips_per_1000=16.95,
        redis_round_trips_per_1000=6.55,
    ),
    dispatch=Stage(
        busy_us=20.78,
        process_cpu_us=2.5,
        mongod_cpu_us=13.0,
        redis_cpu_us=2.5,
        mongo_round_trips_per_1000=1.15,
        redis_round_trips_per_1000=2.4,
    ),
    work=Stage(
        busy_us=217.8,
        process_cpu_us=204.0,
        mongod_cpu_us=50.0,
        redis_cpu_us=11.5,
        mongo_round_trips_per_1000=48.95,
        redis_round_trips_per_1000=20.2,
    ),
    receiver_cpu_us=15.0,
    schedule=Size(
        mongo_data_bytes=732.0,
        mongo_disk_bytes=154.2,
        mongo_index_bytes=95.85,
        redis_bytes=0.0,
        sqlite_bytes=1040.0,
    ),
    queued_event=Size(
        mongo_data_bytes=260.0,
        mongo_disk_bytes=47.92,
        mongo_index_bytes=61.64,
        redis_bytes=92.05,
        sqlite_bytes=465.3,
    ),
    finished_event=Size(
        mongo_data_bytes=565.0,
        mongo_disk_bytes=80.28,
        mongo_index_bytes=71.27,
        redis_bytes=0.0,
        sqlite_bytes=525.3,
    ),
)
