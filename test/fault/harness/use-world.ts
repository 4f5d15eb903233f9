/** One world for all hazards of a transport: it starts once, and after every hazard everything is looked at. */
import { randomBytes } from "node:crypto";
import type { TransportName } from "@contingent/testkit/transports";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { audit } from "./audit.ts";
import { restartTheDead } from "./processes.ts";
import { linksOf, startWorld, type World } from "./world.ts";

export type GetWorld = () => World;

/** What is left to chance follows from it: FAULT_SEED repeats a run. Under CI it is the same every time. */
export const SEED = process.env["FAULT_SEED"] ?? (process.env["CI"] === "true" ? "1" : randomBytes(4).toString("hex"));

const LINES_SHOWN = 40;

export function useWorld(transport: TransportName): GetWorld {
  let world: World | undefined;
  let failures = 0;
  beforeAll(async () => {
    world = await startWorld({ transport, seed: SEED });
  });
  afterEach(async ({ task }) => {
    if (world === undefined) return;
    if (task.result?.state === "fail") {
      failures += 1;
      // One that failed half-way must not take the others with it.
      await mend(world);
    }
    const findings = await audit(world);
    failures += findings.length;
    expect(findings, "what the audit found").toEqual([]);
  });
  afterAll(async () => {
    if (world !== undefined && failures > 0) process.stderr.write(complaintsOf(world).join("\n"));
    await world?.[Symbol.asyncDispose]();
  });
  return () => {
    if (world === undefined) throw new Error("the world has not been started");
    return world;
  };
}

async function mend(world: World): Promise<void> {
  const { system } = world;
  for (const name of system.names()) system.arm(name, "");
  for (const link of linksOf(world)) await link.restore();
  for (const { child } of system.processes()) child.send("SIGCONT");
  await restartTheDead(system);
}

/** What the services complained about, for whoever looks into a failure. */
function complaintsOf({ system }: World): readonly string[] {
  return system.processes().flatMap(({ name }) => {
    const lines = system.log(name).split("\n");
    return lines.filter((line) => /"level":"(warn|error|fatal)"/.test(line)).slice(-LINES_SHOWN);
  });
}
