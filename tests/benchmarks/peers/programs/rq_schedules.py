"""The configuration of `rq cron`: all schedules."""

import workload
from rq import cron
from rq_peer import call

for schedule in workload.schedules():
    cron.register(call, queue_name="default", args=(schedule["url"],), cron=workload.cron(schedule))
