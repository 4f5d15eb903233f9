import net from "node:net";

const LOOPBACK = "127.0.0.1";

/** A port that nobody listened on a moment ago. Somebody may take it before you do: whoever binds it must be able to try another. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, LOOPBACK, resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return address.port;
}

/** Whether this port can be listened on now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = net.createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, LOOPBACK, () => resolve(true));
  });
  if (free) await new Promise<void>((resolve) => server.close(() => resolve()));
  return free;
}

/**
 * Whether `fetch` refuses this port, because it belongs to another protocol (4190, 6000, …): so do browsers, and an API
 * there could be reached by neither. The list is part of the fetch standard, and of Node. Of any other port a connection is tried.
 */
export async function isBarredPort(port: number): Promise<boolean> {
  try {
    await fetch(`http://${LOOPBACK}:${port}/`, { method: "HEAD", signal: AbortSignal.timeout(1_000) });
    return false;
  } catch (error) {
    return error instanceof TypeError && error.cause instanceof Error && error.cause.message === "bad port";
  }
}
