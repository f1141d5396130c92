// BullMQ: a job that makes the call. `due|at|hold FILE` adds jobs or job schedulers; `run` works them off.

import { Queue, Worker } from "bullmq";
import { call, cron, each, safe } from "./workload.mjs";

const [, , what, path] = process.argv;
const { hostname: host, port } = new URL(process.env.REDIS_URL);
const connection = { host, port: Number(port) };
const opts = { removeOnComplete: true };

if (what === "run") {
  const stalled = safe ? { lockDuration: 5000, stalledInterval: 5000 } : {};
  new Worker("calls", (job) => call(job.data.url), {
    connection: { ...connection, maxRetriesPerRequest: null },
    concurrency: 50,
    ...stalled,
  });
} else {
  const queue = new Queue("calls", { connection });
  await each(path, ({ id, url, at, ...when }) =>
    what === "hold"
      ? queue.upsertJobScheduler(String(id), { pattern: cron(when), tz: "UTC" }, { data: { url }, opts })
      : queue.add("call", { url }, { ...opts, delay: what === "at" ? Math.max(at * 1000 - Date.now(), 0) : 0 }),
  );
  await queue.close();
}
