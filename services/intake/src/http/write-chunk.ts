import type { Response } from "express";

/** Writes a part of an answer, and waits while the caller reads more slowly than we write. */
export async function writeChunk(response: Response, chunk: string): Promise<void> {
  if (response.destroyed || response.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      response.off("drain", goOn);
      response.off("close", goOn);
      resolve();
    };
    response.on("drain", goOn);
    response.on("close", goOn);
  });
}
