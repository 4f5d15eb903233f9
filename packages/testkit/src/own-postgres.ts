/** A Postgres server of a test's own, to be stopped at the worst moment and started again. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { migrate } from "@contingent/db/migrate";
import { startPostgres, type Postgres } from "@contingent/embedded/postgres";

export interface OwnPostgres {
  /** Of a migrated database. The same after every start. */
  readonly url: string;
  /**
   * An immediate stop, as by `pg_ctl stop -m immediate`: connections are cut wherever they are, and the next start recovers
   * from the log. What was committed is there then.
   */
  stopAtOnce(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  /** Stops it for good and removes its data. */
  stop(): Promise<void>;
}

const DATABASE = "contingent";
/** What a client was told is committed outlives the server. Not the machine, which is not what is tried here. */
const SETTINGS = { synchronous_commit: "on" };

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-own-postgres-"));
  // Entered by the user that Postgres runs as, when that is another one.
  fs.chmodSync(folder, 0o755);
  const start = (port?: number): Promise<Postgres> =>
    startPostgres({
      folder: path.join(folder, "postgres"),
      logFile: path.join(folder, "postgres.log"),
      keep: "scratch",
      port,
      settings: SETTINGS,
    });
  let server = await start();
  const { port } = server;
  const url = server.url(DATABASE);
  await server.ensureDatabase(DATABASE);
  await migrate(url);
  return {
    url,
    async stopAtOnce() {
      process.kill(server.pid, "SIGQUIT");
      await server.exited;
    },
    async start() {
      server = await start(port);
    },
    async stop() {
      await server.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
