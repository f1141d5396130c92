"""What one schedule and one event cost, as last measured; made by `make bench` (tests/benchmarks/page.py)."""

from rrcli.core.capacity import Figures, Size, Stage

MEASURED = Figures(
    measured="2026-11-29 on 2 processors (AMD EPYC)",
    prequeue=Stage(
        busy_us=102.5,
        process_cpu_us=77.0,
        mongod_cpu_us=40.5,
        redis_cpu_us=2.5,
        mongo_round_trips_per_1000=10.2,
        redis_round_trips_per_1000=4.9,
    ),
    dispatch=Stage(
        busy_us=15.63,
        process_cpu_us=2.5,
        mongod_cpu_us=10.5,
        redis_cpu_us=2.0,
        mongo_round_trips_per_1000=1.05,
        redis_round_trips_per_1000=2.2,
    ),
    work=Stage(
        busy_us=135.6,
        process_cpu_us=127.0,
        mongod_cpu_us=32.0,
        redis_cpu_us=4.5,
        mongo_round_trips_per_1000=15.7,
        redis_round_trips_per_1000=8.15,
    ),
    receiver_cpu_us=13.0,
    schedule=Size(
        mongo_data_bytes=732.0,
        mongo_disk_bytes=153.6,
        mongo_index_bytes=95.44,
        redis_bytes=0.0,
        sqlite_bytes=1040.0,
    ),
    queued_event=Size(
        mongo_data_bytes=260.0,
        mongo_disk_bytes=47.31,
        mongo_index_bytes=62.26,
        redis_bytes=92.25,
        sqlite_bytes=466.5,
    ),
    finished_event=Size(
        mongo_data_bytes=565.0,
        mongo_disk_bytes=80.08,
        mongo_index_bytes=72.09,
        redis_bytes=0.0,
        sqlite_bytes=525.1,
    ),
)
