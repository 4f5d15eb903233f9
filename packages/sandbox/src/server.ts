/** Makes the checks of whoever connects to a Unix socket. */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { REQUEST_BYTES_MAX } from "./bounds.ts";
import { frame, FrameReader } from "./frames.ts";
import type { Pool } from "./pool.ts";
import { encode } from "./wire.ts";

/** Who may connect: this user and group. */
const SOCKET_MODE = 0o660;
const CONNECTIONS_MAX = 2_000;

/** Listens until it is disposed of. @throws the system's error when it cannot */
export async function serveSandbox(pool: Pool, path: string): Promise<AsyncDisposable> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    answer(socket, pool);
  });
  server.maxConnections = CONNECTIONS_MAX;
  // What a process that was killed has left: nobody listens there, or this one would not have been started.
  rmSync(path, { force: true });
  await listen(server, path);
  chmodSync(path, SOCKET_MODE);
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function answer(socket: Socket, pool: Pool): void {
  const reader = new FrameReader(REQUEST_BYTES_MAX);
  // Whoever asked is gone: what it asked for is made and forgotten.
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const request of reader.push(chunk))
        void pool.run(request).then((outcome) => socket.end(frame(encode(outcome))));
    } catch {
      socket.destroy();
    }
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
