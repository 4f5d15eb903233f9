/** What the validators say when they are run again, as the API's JSON. */
import type { OperatorReverificationBody, ReverificationBody } from "@contingent/contracts/http/receipts";
import type { JobId } from "@contingent/core/ids";
import type { LeafVerdict } from "@contingent/core/verdict";
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
      recomputed: evidenceHash.recomputed === null ? null : named(evidenceHash.recomputed),
      matches: evidenceHash.recomputed === null ? null : evidenceHash.stored === evidenceHash.recomputed,
    },
  };
}

/** What each leaf said then and says now, in the order of then; those that have come to have a say come last. */
export function renderLeaves({ verdict, recomputed }: Reverification): OperatorReverificationBody["leaves"] {
  const was = scoresOf(verdict.leaves);
  const is = scoresOf(recomputed?.leaves);
  const leaves = new Set([...was.keys(), ...is.keys()]);
  return Array.from(leaves, (leaf) => ({ leaf, was: was.get(leaf) ?? null, is: is.get(leaf) ?? null }));
}

function scoresOf(leaves: readonly LeafVerdict[] | null | undefined): ReadonlyMap<string, number> {
  return new Map((leaves ?? []).map(({ leaf, score }) => [leaf, score]));
}
