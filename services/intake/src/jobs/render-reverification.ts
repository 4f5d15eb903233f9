/** What the validators say when they are run again, as the API's JSON. */
import type { ReverificationBody } from "@contingent/contracts/http/receipts";
import type { JobId } from "@contingent/core/ids";
import { named } from "./render.ts";
import type { Reverification } from "./reverify.ts";

export function renderReverification(job: JobId, found: Reverification): ReverificationBody {
  const { verdict, stands, because, recomputed, changedValidators, evidenceHash } = found;
  return {
    object: "reverification",
    job,
    verdict: { id: verdict.id, decision: verdict.decision, score: verdict.score },
    stands,
    because,
    recomputed:
      recomputed === null
        ? null
        : {
            decision: recomputed.decision,
            score: recomputed.score,
            findings: [...recomputed.findings],
            validators: [...recomputed.validators],
          },
    changed_validators: changedValidators.map(({ was, is }) => ({ was, is })),
    evidence_hash: {
      stored: named(evidenceHash.stored),
      recomputed: named(evidenceHash.recomputed),
      matches: evidenceHash.stored === evidenceHash.recomputed,
    },
  };
}
