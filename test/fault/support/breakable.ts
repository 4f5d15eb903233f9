/** A system whose link to the provider can be cut, and ways to break its processes at a chosen point. */
import { freePort } from "@contingent/embedded/ports";
import type { RunningProcess } from "@contingent/embedded/system";
import type { FailpointName } from "@contingent/runtime/failpoints";
import type { System } from "@contingent/testkit/system";
import { startTcpLink, type TcpLink } from "@contingent/testkit/tcp-link";
import type { TransportName } from "@contingent/testkit/transports";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, expect } from "vitest";
import { useSystem } from "../../e2e/support/use-system.ts";

export interface Breakable {
  readonly system: System;
  readonly providerLink: TcpLink;
}

export type GetBreakable = () => Breakable;

/** One system for all fault tests of a transport: two fast workers, so that one can take over from the other. */
export function useBreakableSystem(transport: TransportName): GetBreakable {
  let link: TcpLink | undefined;
  let port = 0;
  beforeAll(async () => {
    port = await freePort();
    link = await startTcpLink({ host: "127.0.0.1", port });
  });
  const system = useSystem(() => ({
    transport,
    workers: { fast: 2, premium: 0 },
    simulator: { port },
    anthropicBaseUrl: `http://127.0.0.1:${link?.port ?? 0}`,
  }));
  afterAll(async () => {
    await link?.close();
  });
  return () => {
    if (link === undefined) throw new Error("the link to the provider has not been made");
    return { system: system(), providerLink: link };
  };
}

/** The process of this name that runs now. */
export function processOf(system: System, name: string): RunningProcess {
  const found = system.processes().find((running) => running.name === name);
  if (found === undefined) throw new Error(`${name} does not run`);
  return found;
}

const ACT_TIMEOUT_MS = 30_000;

/** Starts the process anew, armed to die as by kill -9 when it gets to this point. */
export async function armToDie(system: System, name: string, point: FailpointName): Promise<void> {
  await system.restart(name, { FAILPOINTS: `${point}=exit` });
}

/** Waits until an armed process has died at its point, and starts it again, unarmed. */
export async function untilDeadThenRestart(system: System, name: string): Promise<void> {
  const exit = await until(
    () => !system.processes().some((running) => running.name === name) && system.log(name).includes('"failpoint"'),
    { timeoutMs: ACT_TIMEOUT_MS, intervalMs: 10, what: `${name} to die at its failpoint` },
  );
  expect(exit).toBe(true);
  await system.restart(name);
}

/** Waits until one of these processes, armed with any action, has got to its point; returns its name. */
export async function untilReached(system: System, names: readonly string[]): Promise<string> {
  return await until(() => names.find((name) => system.log(name).includes('"msg":"failpoint"')), {
    timeoutMs: ACT_TIMEOUT_MS,
    intervalMs: 10,
    what: `one of ${names.join(", ")} to reach its failpoint`,
  });
}

/** Tells a process to stop, as a deployment does, and waits until it has. It must end by itself, and say that all is well. */
export async function stopOrderly(system: System, name: string): Promise<void> {
  const { child } = processOf(system, name);
  child.send("SIGTERM");
  expect(await child.exited, `how ${name} ended`).toEqual({ code: 0, signal: null });
}
