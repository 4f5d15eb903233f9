import { getHealth, getReadiness } from "@contingent/contracts/http/operations";
import type { Route } from "../../http/route.ts";

/** Open to anybody who can connect; they name checks and how long they took, and nothing else. */
export const healthRoutes: readonly Route[] = [
  { operation: getHealth, handle: ({ everybody: { health } }) => health.handleLive },
  { operation: getReadiness, handle: ({ everybody: { health } }) => health.handleReady },
];
