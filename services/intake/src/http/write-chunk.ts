import { once } from "node:events";
import type { Response } from "express";

/** Writes a part of an answer, and waits while the caller reads more slowly than we write. */
export async function writeChunk(response: Response, chunk: string): Promise<void> {
  if (response.destroyed || response.write(chunk)) return;
  await Promise.race([once(response, "drain"), once(response, "close")]);
}
