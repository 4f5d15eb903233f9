/** Lines of a stream of bytes, each bounded; the stream as a whole is not. */

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface Line {
  /** From 1; empty lines count, but are not given out. */
  readonly number: number;
  /** Null: the line was too long, and has been skipped. */
  readonly bytes: Uint8Array | null;
}

/** Splits at line feeds; a last line needs none. Once the signal is aborted no further line is given out. */
export async function* linesOf(
  source: AsyncIterable<Uint8Array>,
  bytesMax: number,
  signal?: AbortSignal,
): AsyncGenerator<Line> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  let number = 1;
  const take = (piece: Uint8Array): void => {
    size += piece.length;
    // What is too long anyway is not kept.
    if (size <= bytesMax) pieces.push(piece);
    else pieces = [];
  };
  const finish = (): Line => {
    const line = { number, bytes: size > bytesMax ? null : withoutReturn(Buffer.concat(pieces)) };
    pieces = [];
    size = 0;
    number += 1;
    return line;
  };
  for await (const chunk of untilAborted(source, signal)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      take(chunk.subarray(start, end));
      const line = finish();
      if (!isEmpty(line)) yield line;
      start = end + 1;
    }
    take(chunk.subarray(start));
  }
  const last = finish();
  if (!isEmpty(last) && signal?.aborted !== true) yield last;
}

/** Ends when the signal is aborted, even while the next chunk is awaited. */
async function* untilAborted<Chunk>(source: AsyncIterable<Chunk>, signal?: AbortSignal): AsyncGenerator<Chunk> {
  const chunks = source[Symbol.asyncIterator]();
  const { promise: aborted, resolve: abort } = Promise.withResolvers<null>();
  if (signal?.aborted === true) return;
  signal?.addEventListener("abort", () => abort(null), { once: true });
  for (;;) {
    const next = chunks.next();
    const arrived = await Promise.race([next, aborted]);
    if (arrived === null) {
      next.catch(() => undefined);
      return;
    }
    if (arrived.done === true) return;
    yield arrived.value;
  }
}

function withoutReturn(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
}

function isEmpty(line: Line): boolean {
  return line.bytes?.length === 0;
}
