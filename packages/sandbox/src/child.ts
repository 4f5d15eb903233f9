/** One child process, as whoever started it sees it: ready, asked, killed, gone. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { constants, setPriority, tmpdir } from "node:os";
import path from "node:path";
import { type Limits, REPLY_BYTES_MAX } from "./bounds.ts";
import { frame, FrameReader } from "./frames.ts";
import { commandFor, type Isolation } from "./launch.ts";

/** The process ended, or said what it may not. */
export class ChildGone extends Error {
  override readonly name = "ChildGone";
}

/** Some systems keep a folder as long as a process is in it. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // It is removed when the process is gone.
  }
}

interface Expected {
  readonly resolve: (message: Buffer) => void;
  readonly reject: (error: ChildGone) => void;
}

export class Child {
  readonly pid: number;
  /** Resolves once it can be asked; rejects when it ended before. */
  readonly ready: Promise<void>;
  /** Resolves once the process is gone. */
  readonly gone: Promise<void>;
  /** Checks that it has made. */
  runs = 0;
  readonly #process: ChildProcess;
  readonly #pipe: Socket;
  #expected: Expected | null = null;

  constructor(entry: string, limits: Limits, isolation: Isolation) {
    // A folder of its own that is removed as soon as the process is in it: nothing can be put into what is not there.
    const cwd = mkdtempSync(path.join(tmpdir(), "contingent-check-"));
    const [command = "", ...args] = commandFor(entry, limits, isolation);
    this.#process = spawn(command, args, { cwd, env: { TZ: "UTC" }, stdio: ["ignore", "ignore", "ignore", "pipe"] });
    remove(cwd);
    this.pid = this.#process.pid ?? 0;
    const pipe = this.#process.stdio[3];
    if (!(pipe instanceof Socket)) throw new ChildGone("there is no pipe to the child");
    this.#pipe = pipe;
    this.gone = new Promise((resolve) => {
      const end = (): void => {
        remove(cwd);
        this.#fail();
        resolve();
      };
      this.#process.once("error", end);
      this.#process.once("exit", end);
    });
    this.#listen();
    // The first message says that it is ready.
    this.ready = this.#next().then(() => undefined);
  }

  /** Sends a request and waits for the reply; one at a time. @throws ChildGone */
  ask(request: Buffer): Promise<Buffer> {
    const reply = this.#next();
    this.#pipe.write(frame(request));
    this.runs += 1;
    return reply;
  }

  /** Puts it behind the others that want the processor. */
  stepBack(): void {
    try {
      setPriority(this.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // It is gone already.
    }
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Whether it keeps this process from ending. */
  hold(held: boolean): void {
    if (held) this.#process.ref();
    else this.#process.unref();
    if (held) this.#pipe.ref();
    else this.#pipe.unref();
  }

  #next(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#expected = { resolve, reject };
    });
  }

  #listen(): void {
    const reader = new FrameReader(REPLY_BYTES_MAX);
    this.#pipe.on("data", (chunk: Buffer) => {
      try {
        for (const message of reader.push(chunk)) this.#receive(message);
      } catch {
        this.kill();
      }
    });
    // Its end shows as the end of the process too.
    this.#pipe.on("error", () => this.kill());
  }

  #receive(message: Buffer): void {
    const expected = this.#expected;
    this.#expected = null;
    // It spoke without being asked.
    if (expected === null) this.kill();
    else expected.resolve(message);
  }

  #fail(): void {
    this.#expected?.reject(new ChildGone("the child process ended"));
    this.#expected = null;
  }
}
