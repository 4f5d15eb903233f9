/** Ctrl-C and its relatives. The first one asks for an orderly end; another one, a moment later, kills. */

export interface Interruption {
  /** Aborted when the end is asked for. */
  readonly signal: AbortSignal;
  /** Rejects with `Interrupted` when the end is asked for; for racing against work. */
  readonly asked: Promise<never>;
}

/** The work was given up because somebody asked for the end. Nothing is wrong. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** The same Ctrl-C arrives from the terminal, from npm and from the launcher: within this time it is one. */
const ECHO_MS = 1_000;
const LAUNCHER_POLL_MS = 500;
const EXIT_KILLED = 130;

/**
 * Listens from now on.
 * @param onKill stops everything at once
 */
export function listenForInterruption(onAsked: (why: string) => void, onKill: () => void): Interruption {
  const controller = new AbortController();
  let askedAtMs = 0;
  const ask = (why: string): void => {
    if (controller.signal.aborted) {
      if (performance.now() - askedAtMs < ECHO_MS) return;
      onKill();
      process.exit(EXIT_KILLED);
    }
    askedAtMs = performance.now();
    onAsked(why);
    controller.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => ask(signal));
  watchLauncher(() => controller.signal.aborted || ask("the command that started this is gone"));
  const asked = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(new Interrupted()), { once: true });
  });
  // Whoever races against it handles it; when nobody happens to, nothing is wrong either.
  asked.catch(() => undefined);
  return { signal: controller.signal, asked };
}

/** The launcher (bootstrap.mjs) passes signals on; when it was killed it can pass on nothing. */
function watchLauncher(onGone: () => void): void {
  const launcher = process.env["CONTINGENT_LAUNCHER_PID"];
  if (launcher === undefined || launcher !== String(process.ppid)) return;
  const timer = setInterval(() => {
    if (String(process.ppid) === launcher) return;
    clearInterval(timer);
    onGone();
  }, LAUNCHER_POLL_MS);
  timer.unref();
}
