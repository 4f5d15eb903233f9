/** What a service has of the sandbox: a way to run checks, whoever owns the processes. */
import type { Log } from "@contingent/runtime/log";
import { type RunCheck, ValidatorError } from "@contingent/validators/validator";
import { askSandbox, checkSandbox } from "./client.ts";
import { isolation } from "./launch.ts";
import { TOO_LARGE } from "./limits.ts";
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

/** Where a service's checks run. */
export interface SandboxSettings {
  readonly SANDBOX_SOCKET?: string | undefined;
  readonly CONTINGENT_ENV: "production" | "development";
}

/** The sandbox that the settings name, or else one of this process's own. */
export async function openSandbox({ SANDBOX_SOCKET, CONTINGENT_ENV }: SandboxSettings, log: Log): Promise<Sandbox> {
  if (SANDBOX_SOCKET !== undefined) return sandboxAt(SANDBOX_SOCKET);
  await logIsolation(log);
  if (CONTINGENT_ENV === "production") log.warn({}, UNSAFE);
  return ownSandbox();
}

const UNSAFE =
  "SANDBOX_SOCKET is not set: checks of hostile answers run in this service's own container, with its network. " +
  "Start the sandbox as a container of its own and set it (docs/decisions/0019)";

/** A sandbox that is a process of its own. */
export function sandboxAt(socket: string): Sandbox {
  return {
    run: runCheckBy((request) => askSandbox(socket, request)),
    // It warms itself.
    warm: () => undefined,
    check: () => checkSandbox(socket),
    close: () => Promise.resolve(),
  };
}

/**
 * A sandbox whose processes are children of this one, started when they are first needed. One of them may be warm: it is for
 * development, where a whole system is started often, and most of the time for a few checks.
 */
export function ownSandbox(options: PoolOptions = {}): Sandbox {
  const pool = new Pool({ warmed: 1, ...options });
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
    const request = encodeRequest(validator, subject, options);
    const outcome = request === null ? TOO_LARGE : await run(request);
    if (outcome.kind === "broke") throw new ValidatorError(outcome.message);
    return outcome.result;
  };
}

/** Says once what holds here. */
export async function logIsolation(log: Log): Promise<void> {
  const { ownNetwork, diesWithParent, watched } = await isolation();
  log.info({ ownNetwork, diesWithParent, watched }, "the sandbox's processes");
}
