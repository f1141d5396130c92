"""What one schedule and one event cost, as last measured; made by `make bench` (tests/benchmarks/page.py)."""

from rrcli.core.capacity import Figures, Size, Stage

MEASURED = Figures(
    measured="2026-11-24 on 2 processors (AMD EPYC)",
    prequeue=Stage(
        busy_us=121.2,
        process_cpu_us=89.5,
        mongod_cpu_us=31.5,
        redis_cpu_us=2.5,
        mongo_round_trips_per_1000=10.15,
        redis_round_trips_per_1000=4.9,
    ),
    dispatch=Stage(
        busy_us=12.92,
        process_cpu_us=1.5,
        mongod_cpu_us=8.5,
        redis_cpu_us=1.5,
        mongo_round_trips_per_1000=1.05,
        redis_round_trips_per_1000=2.35,
    ),
    work=Stage(
        busy_us=137.8,
        process_cpu_us=127.0,
        mongod_cpu_us=34.5,
        redis_cpu_us=5.0,
        mongo_round_trips_per_1000=29.55,
        redis_round_trips_per_1000=12.7,
    ),
    receiver_cpu_us=11.0,
    schedule=Size(
        mongo_data_bytes=732.0,
        mongo_disk_bytes=154.2,
        mongo_index_bytes=95.03,
        redis_bytes=0.0,
        sqlite_bytes=1040.0,
    ),
    queued_event=Size(
        mongo_data_bytes=260.0,
        mongo_disk_bytes=47.72,
        mongo_index_bytes=62.05,
        redis_bytes=92.18,
        sqlite_bytes=462.2,
    ),
    finished_event=Size(
        mongo_data_bytes=565.0,
        mongo_disk_bytes=80.28,
        mongo_index_bytes=72.7,
        redis_bytes=0.0,
        sqlite_bytes=525.5,
    ),
)
