/**
 * `npm start`: the whole system on this machine. Postgres, the simulator of the model API (or the real one), every service
 * as its own process, and sample jobs through the public API. Stays up until Ctrl-C, and leaves no process behind.
 */
import { killAllChildren, stopAllChildren } from "@contingent/embedded/children";
import { Problem } from "@contingent/embedded/problem";
import { reaper } from "@contingent/embedded/reaper";
import { STOP_GRACE_MS } from "@contingent/embedded/system";
import { listenForInterruption, Interrupted } from "./interruption.ts";
import { takeLock } from "./lock.ts";
import { HELP, parseOptions, UsageError, type StartOptions } from "./options.ts";
import { runSamples } from "./samples-run.ts";
import { openScreen } from "./screen.ts";
import { startStack } from "./stack.ts";
import { startVendorRegister } from "./vendor-register.ts";

const EXIT_PROBLEM = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

const screen = openScreen(process.stdout);

/** Longest time that the rest gets to finish when a part is given up: it cannot do its work without. */
const GIVEN_UP_GRACE_MS = 3_000;

async function start(options: StartOptions): Promise<number> {
  const interruption = listenForInterruption(
    () => screen.line("\nStopping: running jobs reach a safe point first (Ctrl-C again to kill)"),
    killAllChildren,
  );
  const lock = takeLock(options.dataFolder, (line) => screen.note(line));
  const ending = new AbortController();
  let graceMs = STOP_GRACE_MS;
  try {
    const stack = await Promise.race([startStack(options, screen, lock, ending.signal), interruption.asked]);
    const orEnd = async <T>(work: Promise<T>): Promise<T> =>
      await Promise.race([work, interruption.asked, stack.gaveUp]);
    // It stays up as long as the system does: jobs of your own are judged by it as well.
    await using register = await startVendorRegister(options.dataFolder);
    if (options.samples) await orEnd(runSamples(stack, screen, options.dataFolder, register));
    if (options.once) return 0;
    screen.line("\nRunning. Ctrl-C stops everything.");
    await Promise.race([aborted(interruption.signal), stack.gaveUp]);
    return 0;
  } catch (error) {
    if (error instanceof Problem) graceMs = GIVEN_UP_GRACE_MS;
    // Told before the rest is stopped, which takes a while.
    return tell(error);
  } finally {
    ending.abort();
    const stopped = await stopAllChildren(graceMs);
    await reaper().dismiss();
    lock.release();
    if (stopped > 0) screen.line("\nEverything is stopped. The data is kept for the next start.");
  }
}

/**
 * Says what went wrong, where that can be said in a sentence.
 * @returns the exit code
 */
function tell(error: unknown): number {
  if (error instanceof Interrupted) return EXIT_INTERRUPTED;
  if (!(error instanceof UsageError) && !(error instanceof Problem)) throw error;
  process.stderr.write(`${error.message}\n`);
  return error instanceof UsageError ? EXIT_USAGE : EXIT_PROBLEM;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (!options.help) return await start(options);
    screen.line(HELP);
    return 0;
  } catch (error) {
    return tell(error);
  }
}

process.exitCode = await main();
process.exit();
