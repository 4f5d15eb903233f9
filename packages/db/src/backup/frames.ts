/**
 * The form of a backup: a gzip stream of frames, each one byte of kind, four of length, and so many of payload. A header says
 * what it was made of; then each table begins, has its rows in as many pieces as it takes, and ends with their number and
 * hash; then come the sequences, and the end. What is missing or changed is noticed: by gzip's own sum, by the hashes, or by
 * an end that does not come.
 */
import { z } from "zod";

export const FORMAT = 1;

const headerSchema = z.object({
  format: z.literal(FORMAT),
  made_at: z.string(),
  /** The migrations that its database had. */
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
});
const tableSchema = z.object({ table: z.string(), columns: z.array(z.string()).min(1) });
const tableEndSchema = z.object({ rows: z.int().min(0), sha256: z.string() });
const sequencesSchema = z.array(z.object({ name: z.string(), last: z.string(), is_called: z.boolean() }));
const endSchema = z.object({ tables: z.int().min(0) });

export type Header = z.output<typeof headerSchema>;
export type Sequences = z.output<typeof sequencesSchema>;

export type Frame =
  | { readonly kind: "header"; readonly value: Header }
  | { readonly kind: "table"; readonly value: z.output<typeof tableSchema> }
  | { readonly kind: "rows"; readonly bytes: Buffer }
  | { readonly kind: "table_end"; readonly value: z.output<typeof tableEndSchema> }
  | { readonly kind: "sequences"; readonly value: Sequences }
  | { readonly kind: "end"; readonly value: z.output<typeof endSchema> };

/** It is no backup of ours, or one that was damaged. */
export class DamagedBackupError extends Error {
  override readonly name = "DamagedBackupError";
}

const KINDS = { header: 0x48, table: 0x54, rows: 0x44, table_end: 0x45, sequences: 0x53, end: 0x5a } as const;
const PREFIX_BYTES = 5;
/** Rows come in pieces far below this; a longer frame is none of ours. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export function encodeFrame(frame: Frame): Buffer {
  const payload = frame.kind === "rows" ? frame.bytes : Buffer.from(JSON.stringify(frame.value));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt8(KINDS[frame.kind]);
  prefix.writeUInt32BE(payload.length, 1);
  return Buffer.concat([prefix, payload]);
}

/** The frames of a stream of bytes, whatever pieces it comes in. @throws DamagedBackupError */
export async function* framesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let kept: Buffer[] = [];
  let size = 0;
  let needed = PREFIX_BYTES;
  for await (const chunk of source) {
    kept.push(chunk);
    size += chunk.length;
    if (size < needed) continue;
    let bytes = Buffer.concat(kept);
    while (bytes.length >= (needed = frameBytes(bytes))) {
      yield decode(bytes.subarray(0, needed));
      bytes = bytes.subarray(needed);
    }
    kept = [bytes];
    size = bytes.length;
  }
  if (size > 0) throw new DamagedBackupError("it ends in the middle of something");
}

/** How many bytes there must be before the first frame can be read. */
function frameBytes(bytes: Buffer): number {
  if (bytes.length < PREFIX_BYTES) return PREFIX_BYTES;
  const length = bytes.readUInt32BE(1);
  if (length > FRAME_BYTES_MAX) throw new DamagedBackupError("it holds something that is far too long");
  return PREFIX_BYTES + length;
}

function decode(bytes: Buffer): Frame {
  const payload = bytes.subarray(PREFIX_BYTES);
  switch (bytes.readUInt8(0)) {
    case KINDS.header:
      return { kind: "header", value: parsed(headerSchema, payload) };
    case KINDS.table:
      return { kind: "table", value: parsed(tableSchema, payload) };
    case KINDS.rows:
      return { kind: "rows", bytes: payload };
    case KINDS.table_end:
      return { kind: "table_end", value: parsed(tableEndSchema, payload) };
    case KINDS.sequences:
      return { kind: "sequences", value: parsed(sequencesSchema, payload) };
    case KINDS.end:
      return { kind: "end", value: parsed(endSchema, payload) };
    default:
      throw new DamagedBackupError("it holds something that this version does not know");
  }
}

function parsed<T>(schema: z.ZodType<T>, payload: Buffer): T {
  try {
    return schema.parse(JSON.parse(payload.toString("utf8")));
  } catch (error) {
    throw new DamagedBackupError("it holds something that this version cannot read", { cause: error });
  }
}
