/**
 * Every hazard, on one shared system per transport. After each: every accepted job is closed as it should be, charged at
 * most once, costs no more than its cap and what the provider has billed, and the books are sound (harness/audit.ts).
 */
import type { TransportName } from "@contingent/testkit/transports";
import { describe } from "vitest";
import { describeOn } from "../e2e/support/use-system.ts";
import { type GetWorld, SEED, useWorld } from "./harness/use-world.ts";
import { workerKilled } from "./hazards/f01-worker-killed.ts";
import { validatorKilled } from "./hazards/f02-validator-killed.ts";
import { serviceKilled } from "./hazards/f03-service-killed.ts";
import { everythingKilled } from "./hazards/f04-everything-killed.ts";
import { messagesLost } from "./hazards/f05-messages-lost.ts";
import { redisGone } from "./hazards/f06-redis-gone.ts";
import { redisFull } from "./hazards/f07-redis-full.ts";
import { databaseGone } from "./hazards/f08-database-gone.ts";
import { workerFrozen } from "./hazards/f09-worker-frozen.ts";
import { providerFails } from "./hazards/f10-provider-fails.ts";
import { poison } from "./hazards/f11-poison.ts";
import { clockWrong } from "./hazards/f12-clock-wrong.ts";
import { deadlinePasses } from "./hazards/f13-deadline-passes.ts";
import { identicalRequests } from "./hazards/f14-identical-requests.ts";
import { linkBroken } from "./hazards/f15-link-broken.ts";
import { rollingRestart } from "./hazards/f16-rolling-restart.ts";
import { databaseFull } from "./hazards/f17-database-full.ts";
import { versionsSideBySide } from "./hazards/f18-versions-side-by-side.ts";
import { everythingAtOnce } from "./hazards/f19-everything-at-once.ts";

interface Hazard {
  readonly name: string;
  /** Where it can happen; everywhere unless said. */
  readonly on?: TransportName;
  readonly tests: (get: GetWorld) => void;
}

/** In the order in which they are let loose. */
const HAZARDS: readonly Hazard[] = [
  { name: "F1 a worker is killed", tests: workerKilled },
  { name: "F2 a validator is killed", tests: validatorKilled },
  { name: "F3 the ledger or the API is killed", tests: serviceKilled },
  { name: "F4 everything is killed", tests: everythingKilled },
  { name: "F5 messages are lost", tests: messagesLost },
  { name: "F6 Redis is gone, and a worker with it", tests: redisGone },
  { name: "F7 Redis has no memory left", on: "redis", tests: redisFull },
  { name: "F8 the database is gone", tests: databaseGone },
  { name: "F9 a worker freezes", tests: workerFrozen },
  { name: "F10 a provider fails", tests: providerFails },
  { name: "F11 answers are poison", tests: poison },
  { name: "F12 a clock is wrong", tests: clockWrong },
  { name: "F13 a deadline passes", tests: deadlinePasses },
  { name: "F14 identical requests", tests: identicalRequests },
  { name: "F15 a link is broken", tests: linkBroken },
  { name: "F16 everything is restarted", tests: rollingRestart },
  { name: "F17 the database takes no writes", tests: databaseFull },
  { name: "F18 two versions run side by side", tests: versionsSideBySide },
  { name: "F19 everything at once", tests: everythingAtOnce },
];

export function hazardTests(transport: TransportName): void {
  describeOn(transport, `hazards, seed ${SEED}`, () => {
    const world = useWorld(transport);
    const here = HAZARDS.filter(({ on = transport }) => on === transport);
    describe.each(here)("$name", ({ tests }) => tests(world));
  });
}
