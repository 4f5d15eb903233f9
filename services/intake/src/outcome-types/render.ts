import type { OutcomeTypeBody } from "@contingent/contracts/http/outcome-types";
import type { PublishedVersion } from "@contingent/db/outcome-types-published";
import { isoTime } from "../jobs/render.ts";

export function renderOutcomeType(published: PublishedVersion): OutcomeTypeBody {
  const { id, name, version, definition, createdAtMs } = published;
  return { id, object: "outcome_type", name, version, definition, created_at: isoTime(createdAtMs) };
}
