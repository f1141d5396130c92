"""What one schedule and one event cost, as last measured; made by `make bench` (tests/benchmarks/page.py)."""

from rrcli.core.capacity import Figures, Size, Stage

MEASURED = Figures(
    measured="2026-11-24 on 2 processors (AMD EPYC)",
    prequeue=Stage(
        busy_us=92.97,
        process_cpu_us=60.0,
        mongod_cpu_us=29.0,
        redis_cpu_us=2.0,
        mongo_round_trips_per_1000=10.15,
        redis_round_trips_per_1000=4.9,
    ),
    dispatch=Stage(
        busy_us=13.12,
        process_cpu_us=1.5,
        mongod_cpu_us=7.5,
        redis_cpu_us=1.5,
        mongo_round_trips_per_1000=1.05,
        redis_round_trips_per_1000=2.35,
    ),
    work=Stage(
        busy_us=110.3,
        process_cpu_us=103.5,
        mongod_cpu_us=27.5,
        redis_cpu_us=4.0,
        mongo_round_trips_per_1000=30.35,
        redis_round_trips_per_1000=13.1,
    ),
    receiver_cpu_us=9.5,
    schedule=Size(
        mongo_data_bytes=732.0,
        mongo_disk_bytes=154.0,
        mongo_index_bytes=96.05,
        redis_bytes=0.0,
        sqlite_bytes=1040.0,
    ),
    queued_event=Size(
        mongo_data_bytes=260.0,
        mongo_disk_bytes=47.1,
        mongo_index_bytes=60.83,
        redis_bytes=92.15,
        sqlite_bytes=465.9,
    ),
    finished_event=Size(
        mongo_data_bytes=565.0,
        mongo_disk_bytes=80.08,
        mongo_index_bytes=72.7,
        redis_bytes=0.0,
        sqlite_bytes=525.3,
    ),
)
