// Posts the body of every job to the receiver; without a receiver only makes the tables.
//
//   node worker.mjs DATABASE [RECEIVER CONCURRENCY]

import http from "node:http";
import { Logger, run, runMigrations } from "graphile-worker";

const [connectionString, receiver, jobs] = process.argv.slice(2);
const concurrency = Number(jobs);

const agent = new http.Agent({ keepAlive: true, maxSockets: concurrency });

const post = ({ body }) =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": "text/plain", "content-length": Buffer.byteLength(body) };
    const request = http.request(receiver, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}`)),
      );
    });
    request.on("error", reject);
    request.end(body);
  });

// What went well is not worth a line a job.
const logger = new Logger(() => (level, message) => {
  if (level === "error" || level === "warning") console.error(level, message);
});

if (receiver === undefined) {
  await runMigrations({ connectionString, logger });
} else {
  const runner = await run({
    connectionString,
    logger,
    concurrency,
    maxPoolSize: concurrency + 2,
    pollInterval: 1000,
    taskList: { post },
  });
  await runner.promise;
}
