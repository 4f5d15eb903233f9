/**
 * Messages on a pipe: the length in four bytes, then so many bytes. Nothing is collected that is larger than agreed:
 * whoever is at the other end may be compromised.
 */
const HEADER_BYTES = 4;

/** The other end does not keep to the form, or says more than it may. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

export function frame(payload: Buffer): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(payload.length);
  return Buffer.concat([header, payload]);
}

/** Puts the messages together again that arrive in pieces. */
export class FrameReader {
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * @returns the messages that are complete now
   * @throws FrameError when a message is announced that is too large: nothing of it is kept
   */
  push(chunk: Buffer): readonly Buffer[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const complete: Buffer[] = [];
    while (this.#bytes >= HEADER_BYTES) {
      const length = this.#peek(HEADER_BYTES).readUInt32BE();
      if (length > this.#bytesMax) throw new FrameError(`a message of ${length} bytes, over ${this.#bytesMax}`);
      if (this.#bytes < HEADER_BYTES + length) break;
      complete.push(this.#take(HEADER_BYTES + length).subarray(HEADER_BYTES));
    }
    return complete;
  }

  /** The first bytes. A message's pieces are put together once, not with each piece that arrives. */
  #peek(bytes: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= bytes) return first;
    this.#join();
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #take(bytes: number): Buffer {
    this.#join();
    const [all = Buffer.alloc(0)] = this.#chunks;
    const rest = all.subarray(bytes);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return all.subarray(0, bytes);
  }

  #join(): void {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
  }
}
