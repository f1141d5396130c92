"""What one schedule and one event cost, as last measured; made by `make bench` (tests/benchmarks/page.py)."""

from rrcli.core.capacity import Figures, Size, Stage

MEASURED = Figures(
    measured="not yet",
    prequeue=Stage(
        busy_us=60.0,
        process_cpu_us=40.0,
        mongod_cpu_us=20.0,
        redis_cpu_us=3.0,
        mongo_round_trips_per_1000=10.0,
        redis_round_trips_per_1000=2.0,
    ),
    dispatch=Stage(
        busy_us=20.0,
        process_cpu_us=5.0,
        mongod_cpu_us=15.0,
        redis_cpu_us=2.0,
        mongo_round_trips_per_1000=2.0,
        redis_round_trips_per_1000=4.0,
    ),
    work=Stage(
        busy_us=120.0,
        process_cpu_us=75.0,
        mongod_cpu_us=40.0,
        redis_cpu_us=3.0,
        mongo_round_trips_per_1000=12.0,
        redis_round_trips_per_1000=4.0,
    ),
    receiver_cpu_us=15.0,
    schedule=Size(mongo_data_bytes=300.0, mongo_index_bytes=120.0, redis_bytes=0.0, sqlite_bytes=900.0),
    queued_event=Size(mongo_data_bytes=150.0, mongo_index_bytes=60.0, redis_bytes=120.0, sqlite_bytes=700.0),
    finished_event=Size(
        mongo_data_bytes=250.0, mongo_index_bytes=100.0, redis_bytes=0.0, sqlite_bytes=1000.0
    ),
)
