// What every peer is given to do, and the call that a job makes; the counterpart of workload.py.

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

export const safe = process.env.PEER_SAFE === "1";
const body = JSON.stringify({ job: "report", tenant: 42 });

export async function call(url) {
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
    signal: AbortSignal.timeout(30_000),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
}

export const cron = ({ minute, hour }) => `${minute ?? "*"} ${hour ?? "*"} * * *`;

// Does `add` for each line of a workload, so many at once.
export async function each(path, add, atOnce = 500) {
  let pending = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    pending.push(add(JSON.parse(line)));
    if (pending.length === atOnce) {
      await Promise.all(pending);
      pending = [];
    }
  }
  await Promise.all(pending);
}
