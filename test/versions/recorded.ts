/** What earlier versions have left: recorded when they were the present one (record-main.ts). */
import fs from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";

const FOLDER = path.resolve(import.meta.dirname, "recorded");

/** Statements of an earlier version, in the order in which it said them: the number of a text, and its values. */
export interface RecordedSession {
  readonly texts: readonly string[];
  readonly session: readonly (readonly [number, readonly unknown[]])[];
}

/** Backups of databases as they were under earlier versions, by the newest migration that those had. */
export const BACKUPS: readonly string[] = fs
  .readdirSync(FOLDER)
  .filter((name) => name.endsWith(".backup"))
  .toSorted();

export function backupFile(name: string): string {
  return path.join(FOLDER, name);
}

/** The last version before this one that statements were recorded of: it may run beside this one. */
export function lastSession(): RecordedSession & { readonly backup: string } {
  const name = fs
    .readdirSync(FOLDER)
    .filter((each) => each.endsWith(".statements.json.gz"))
    .toSorted()
    .at(-1);
  if (name === undefined) throw new Error("no statements were recorded");
  const session = JSON.parse(gunzipSync(fs.readFileSync(path.join(FOLDER, name))).toString("utf8")) as RecordedSession;
  return { ...session, backup: name.replace(".statements.json.gz", ".backup") };
}
