/** Whether a file is a backup as it was written: read from its beginning to its end, before anything is done with it. */
import { createHash, type Hash } from "node:crypto";
import fs from "node:fs";
import { createGunzip } from "node:zlib";
import { DamagedBackupError, type Frame, framesOf, type Header } from "./frames.ts";

/** The frames of a file. A file that cannot be unpacked is a damaged one. */
export async function* readBackup(file: string): AsyncGenerator<Frame> {
  const source = fs.createReadStream(file);
  const unpacked = createGunzip();
  source.on("error", (error) => unpacked.destroy(error));
  try {
    yield* framesOf(source.pipe(unpacked) as AsyncIterable<Buffer>);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code.startsWith("Z_")) throw new DamagedBackupError(`it cannot be unpacked (${code})`, { cause: error });
    throw error;
  } finally {
    source.destroy();
  }
}

/**
 * Reads all of it: a beginning, whole tables with the rows that they were written with, and an end that knows them all.
 * @returns what it was made of
 * @throws DamagedBackupError
 */
export async function verifyBackup(file: string): Promise<Header> {
  const seen: Seen = { header: null, tables: new Set(), hash: null, isOver: false };
  for await (const frame of readBackup(file)) look(seen, frame);
  if (seen.header === null) throw new DamagedBackupError("it has no beginning");
  if (!seen.isOver) throw new DamagedBackupError("its end is missing");
  return seen.header;
}

interface Seen {
  header: Header | null;
  readonly tables: Set<string>;
  /** Of the table that has begun; null: none has. */
  hash: Hash | null;
  isOver: boolean;
}

function look(seen: Seen, frame: Frame): void {
  if ((seen.header === null) !== (frame.kind === "header") || seen.isOver) throw notInOrder();
  if ((seen.hash !== null) !== (frame.kind === "rows" || frame.kind === "table_end")) throw notInOrder();
  switch (frame.kind) {
    case "header":
      seen.header = frame.value;
      return;
    case "table":
      if (seen.tables.has(frame.value.table)) throw new DamagedBackupError(`it has ${frame.value.table} twice`);
      seen.tables.add(frame.value.table);
      seen.hash = createHash("sha256");
      return;
    case "rows":
      seen.hash?.update(frame.bytes);
      return;
    case "table_end":
      if (seen.hash?.digest("hex") !== frame.value.sha256) {
        throw new DamagedBackupError(`the rows of ${[...seen.tables].at(-1)} are not those that were written`);
      }
      seen.hash = null;
      return;
    case "sequences":
      return;
    case "end":
      if (frame.value.tables !== seen.tables.size) throw new DamagedBackupError("it lacks tables");
      seen.isOver = true;
  }
}

function notInOrder(): DamagedBackupError {
  return new DamagedBackupError("it is not in order");
}
