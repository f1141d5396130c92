"""What one schedule and one event cost, as last measured; made by `make bench` (tests/benchmarks/page.py)."""

from rrcli.core.capacity import Figures, Size, Stage

MEASURED = Figures(
    measured="2026-11-23 on 2 processors (AMD EPYC)",
    prequeue=Stage(
        busy_us=533.8,
        process_cpu_us=342.5,
        mongod_cpu_us=49.5,
        redis_cpu_us=5.0,
        mongo_round_trips_per_1000=13.2,
        redis_round_trips_per_1000=6.7,
    ),
    dispatch=Stage(
        busy_us=18.49,
        process_cpu_us=2.5,
        mongod_cpu_us=11.0,
        redis_cpu_us=2.5,
        mongo_round_trips_per_1000=1.2,
        redis_round_trips_per_1000=2.3,
    ),
    work=Stage(
        busy_us=227.4,
        process_cpu_us=164.5,
        mongod_cpu_us=46.5,
        redis_cpu_us=8.5,
        mongo_round_trips_per_1000=36.2,
        redis_round_trips_per_1000=15.15,
    ),
    receiver_cpu_us=13.5,
    schedule=Size(
        mongo_data_bytes=674.4,
        mongo_disk_bytes=95.03,
        mongo_index_bytes=78.23,
        redis_bytes=0.0,
        sqlite_bytes=1038.0,
    ),
    queued_event=Size(
        mongo_data_bytes=260.0,
        mongo_disk_bytes=47.51,
        mongo_index_bytes=48.54,
        redis_bytes=92.09,
        sqlite_bytes=464.3,
    ),
    finished_event=Size(
        mongo_data_bytes=565.0,
        mongo_disk_bytes=80.28,
        mongo_index_bytes=57.34,
        redis_bytes=0.0,
        sqlite_bytes=525.7,
    ),
)
