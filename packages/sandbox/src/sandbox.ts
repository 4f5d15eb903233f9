/** What a service has of the sandbox: a way to run checks, whoever owns the processes. */
import type { Log } from "@contingent/runtime/log";
import { type RunCheck, ValidatorError } from "@contingent/validators/validator";
import { isolation } from "./launch.ts";
import { Pool, type PoolOptions } from "./pool.ts";
import { encodeRequest, type Outcome } from "./wire.ts";

export interface Sandbox {
  readonly run: RunCheck;
  /** Starts processes before they are needed. */
  warm(): void;
  /** Rejects when no check can be made now. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** A sandbox whose processes are children of this one, started when they are first needed. */
export function ownSandbox(options: PoolOptions = {}): Sandbox {
  const pool = new Pool(options);
  return {
    run: runCheckBy((request) => pool.run(request)),
    warm: () => pool.warm(),
    check: () => pool.check(),
    close: () => pool.close(),
  };
}

/** @param run makes a check that was encoded; never rejects */
export function runCheckBy(run: (request: Buffer) => Promise<Outcome>): RunCheck {
  return async (validator, subject, options) => {
    const outcome = await run(encodeRequest(validator, subject, options));
    if (outcome.kind === "broke") throw new ValidatorError(outcome.message);
    return outcome.result;
  };
}

/** Says once what holds here. */
export async function logIsolation(log: Log): Promise<void> {
  const { ownNetwork, diesWithParent, watched } = await isolation();
  log.info({ ownNetwork, diesWithParent, watched }, "the sandbox's processes");
}
