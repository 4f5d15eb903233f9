/** A sandbox that is a process of its own, reached over a Unix socket: one connection for each check. */
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { ANSWER_MS_MAX, CONNECT_MS, REPLY_BYTES_MAX, REQUEST_BYTES_MAX } from "./bounds.ts";
import { frame, FrameReader } from "./frames.ts";
import { TOO_LARGE } from "./limits.ts";
import { decodeOutcome, type Outcome } from "./wire.ts";

const RETRY_MS = 100;

/** Makes a check there. Never rejects: a sandbox that does not answer is no verdict. */
export async function askSandbox(path: string, request: Buffer): Promise<Outcome> {
  if (request.length > REQUEST_BYTES_MAX) return TOO_LARGE;
  const socket = await connected(path, CONNECT_MS);
  if (socket === null) return broke("the sandbox cannot be reached");
  try {
    socket.write(frame(request));
    const reply = await firstMessage(socket);
    return (reply === null ? null : decodeOutcome(reply)) ?? broke("the sandbox broke off");
  } finally {
    socket.destroy();
  }
}

/** Rejects when nobody listens there. */
export async function checkSandbox(path: string): Promise<void> {
  const socket = await connected(path, 0);
  if (socket === null) throw new Error("the sandbox cannot be reached");
  socket.destroy();
}

/** Null when nobody listens there in time: it may be starting. */
async function connected(path: string, patienceMs: number): Promise<Socket | null> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const socket = await connectOnce(path);
    if (socket !== null || performance.now() >= untilMs) return socket;
    await delay(RETRY_MS);
  }
}

function connectOnce(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(null));
  });
}

/** Null when the connection ends before, says what it may not, or takes too long. */
function firstMessage(socket: Socket): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const reader = new FrameReader(REPLY_BYTES_MAX);
    socket.setTimeout(ANSWER_MS_MAX, () => resolve(null));
    socket.on("data", (chunk: Buffer) => {
      try {
        const [message] = reader.push(chunk);
        if (message !== undefined) resolve(message);
      } catch {
        resolve(null);
      }
    });
    socket.on("error", () => resolve(null));
    socket.on("close", () => resolve(null));
  });
}

function broke(message: string): Outcome {
  return { kind: "broke", message };
}
