// Agenda: a job that makes the call. `due|at|hold FILE` saves jobs; `run` works them off.

import { MongoBackend } from "@agendajs/mongo-backend";
import { Agenda } from "agenda";
import { call, cron, each, safe } from "./workload.mjs";

const [, , what, path] = process.argv;
const agenda = new Agenda({
  backend: new MongoBackend({ address: process.env.MONGO_URI }),
  maxConcurrency: 100,
  defaultConcurrency: 100,
  ...(safe ? { defaultLockLifetime: 30_000 } : {}),
});
agenda.define("call", (job) => call(job.attrs.data.url));

if (what === "run") {
  await agenda.start();
} else {
  await agenda.ready;
  await each(path, ({ url, at, ...when }) => {
    const job = agenda.create("call", { url });
    if (what === "hold") job.repeatEvery(cron(when), { timezone: "UTC", skipImmediate: true });
    else job.schedule(new Date(at * 1000));
    return job.save();
  });
  process.exit(0);
}
