/**
 * Keeps processes running, as the restart policy of a container platform does: one that ends though nobody asked it to is
 * started again, after pauses that double. One that ends again and again is given up.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Exit } from "./children.ts";
import { Problem } from "./problem.ts";

export interface Running {
  readonly exited: Promise<Exit>;
  readonly logFile: string;
}

/** A process that is to run. */
export interface Ward {
  readonly name: string;
  readonly running: Running;
  /** Starts it again where it was, so that whoever knows its address finds it there. Resolves when it is ready. */
  readonly startAgain: () => Promise<Running>;
}

export interface SupervisionOptions {
  /** Told in one sentence what ended, and that it runs again. */
  readonly say: (line: string) => void;
  /** Aborted when the system is being stopped: from then on, nothing is started. */
  readonly ending: AbortSignal;
  /** The first pause. */
  readonly pauseMs?: number;
}

const PAUSE_MS = 500;
const PAUSE_FACTOR = 2;
/** Endings in a row after which starting it once more is no use. */
const ENDINGS_MAX = 5;
/** What ran for so long ended by another cause than the time before. */
const STEADY_MS = 10_000;

/**
 * Watches over processes that run.
 * @returns a promise that is never resolved, and is rejected with a Problem when one of them is given up
 */
export function supervise(wards: readonly Ward[], options: SupervisionOptions): Promise<never> {
  const gaveUp = new Promise<never>((_, reject) => {
    for (const ward of wards) keep(ward, options).catch(reject);
  });
  // Whoever races against it handles it; when nobody happens to, nothing is wrong either.
  gaveUp.catch(() => undefined);
  return gaveUp;
}

/** What is said of a process that ended. */
export function endingOf(name: string, { code, signal }: Exit): string {
  return signal === null ? `${name} ended with exit code ${code ?? "unknown"}` : `${name} was ended by ${signal}`;
}

async function keep(
  { name, running, startAgain }: Ward,
  { say, ending, pauseMs = PAUSE_MS }: SupervisionOptions,
): Promise<void> {
  const { logFile } = running;
  let happened = endingOf(name, await running.exited);
  let endings = 1;
  while (!ending.aborted) {
    if (endings >= ENDINGS_MAX)
      throw new Problem(
        `${happened}, the ${endings}th time in a row, and is not started again. Its log says why: ${logFile}. The data is kept: when that is mended, start again.`,
      );
    say(`${happened}, and is started again (its log: ${logFile})`);
    await pause(pauseMs * PAUSE_FACTOR ** (endings - 1), null, { signal: ending }).catch(() => undefined);
    if (ending.aborted) return;
    endings += 1;
    try {
      const again = await startAgain();
      const readyMs = performance.now();
      say(`${name} runs again`);
      happened = endingOf(name, await again.exited);
      if (performance.now() - readyMs >= STEADY_MS) endings = 1;
    } catch (error) {
      happened = `${name} did not start (${reasonOf(error)})`;
    }
  }
}

/** The first sentence: what follows it is the end of the log. */
function reasonOf(error: unknown): string {
  const [first = ""] = (error instanceof Error ? error.message : String(error)).split(/(?:\. |[.:]?\n)/, 1);
  return first;
}
