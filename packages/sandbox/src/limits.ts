/** Watches what a running check uses, and says when it is too much. */
import { failed, finding } from "@contingent/validators/finding";
import { type Limits, POLL_MS, STUCK_CPU_MS } from "./bounds.ts";
import { type Usage, usageOf } from "./usage.ts";
import type { Outcome } from "./wire.ts";

/**
 * `starved`: the time by the clock is over, but the check had too little of the processor to be judged by it. The machine
 * is too busy, which is not the answer's fault.
 */
export type Broken = "exceeded" | "starved";

export interface Watch {
  /** It has used so much that another process should take its place. Called once at most. */
  readonly onStuck: () => void;
  /** A limit is broken. Called once at most, and is the last call. */
  readonly onBroken: (broken: Broken) => void;
}

/** @returns ends the watch */
export function watchLimits(pid: number, limits: Limits, { onStuck, onBroken }: Watch): () => void {
  const startMs = performance.now();
  let first: Usage | null = null;
  let stuck = false;
  const timer = setInterval(() => {
    const now = usageOf(pid);
    first ??= now;
    const wallMs = performance.now() - startMs;
    // Where processor time cannot be read, time by the clock stands in for it.
    const cpuMs = now === null || first === null ? wallMs : now.cpuMs - first.cpuMs;
    const broken = brokenBy({ rssBytes: now?.rssBytes ?? 0, cpuMs }, wallMs, limits);
    if (broken !== null) {
      clearInterval(timer);
      onBroken(broken);
    } else if (!stuck && cpuMs >= Math.min(STUCK_CPU_MS, limits.cpuMs)) {
      stuck = true;
      onStuck();
    }
  }, POLL_MS);
  return () => clearInterval(timer);
}

function brokenBy({ rssBytes, cpuMs }: Usage, wallMs: number, limits: Limits): Broken | null {
  if (rssBytes > limits.rssBytes || cpuMs >= limits.cpuMs) return "exceeded";
  return wallMs >= limits.wallMs ? "starved" : null;
}

const HINT = "Answer with something smaller and simpler.";

/** What a broken limit means: always in the same words, since which one breaks first may depend on the machine. */
export function outcomeOf(broken: Broken, { cpuMs, wallMs, rssBytes }: Limits): Outcome {
  if (broken === "starved")
    return { kind: "broke", message: `the check had too little processor time within ${wallMs / 1_000} s` };
  const bounds = `${cpuMs / 1_000} s of computing or ${rssBytes / 1024 / 1024} MB of memory`;
  return {
    kind: "result",
    result: failed(finding("", "limits_exceeded", `Checking the answer took more than ${bounds}.`, HINT)),
  };
}

export const TOO_LARGE: Outcome = {
  kind: "result",
  result: failed(finding("", "limits_exceeded", "The answer is too large to be checked.", HINT)),
};
