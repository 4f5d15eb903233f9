/** The database that the system runs on: a Postgres of our own, or one that was named. */
import path from "node:path";
import { startPostgres, type Postgres } from "@contingent/embedded/postgres";
import type { Ward } from "@contingent/embedded/supervisor";

/** Its name on the embedded server. */
export const DATABASE = "contingent";

export interface StartedDatabase {
  /** As its owner. */
  readonly url: string;
  /** As services log in. */
  readonly serviceUrl: string;
  /** For the screen. */
  readonly place: string;
  /** Our own server, to be kept running; null for somebody else's. */
  readonly ward: Ward | null;
}

/** The embedded server, started on the data folder, with an empty or kept database in it. */
export async function startDatabase(
  dataFolder: string,
  port: number | undefined,
  say: (line: string) => void,
): Promise<StartedDatabase> {
  const startOn = (wanted: number | undefined, keepsLog: boolean): Promise<Postgres> =>
    startPostgres({
      folder: path.join(dataFolder, "postgres"),
      logFile: path.join(dataFolder, "logs/postgres.log"),
      port: wanted,
      keep: "data",
      keepsLog,
      say,
    });
  const postgres = await startOn(port, false);
  await postgres.ensureDatabase(DATABASE);
  return {
    url: postgres.url(DATABASE),
    serviceUrl: postgres.serviceUrl(DATABASE),
    place: `127.0.0.1:${postgres.port}, data in ${postgres.dataFolder}`,
    ward: { name: "postgres", running: postgres, startAgain: () => startOn(postgres.port, true) },
  };
}

/** A server that runs anyway: whoever named it says what everybody logs in as. */
export function foreignDatabase(url: string): StartedDatabase {
  const { host, pathname } = new URL(url);
  return {
    url,
    serviceUrl: url,
    place: `${host}${pathname} (yours)`,
    ward: null,
  };
}
