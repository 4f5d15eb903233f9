/**
 * Reaches a job's verdict again: the same deterministic validators on the stored evidence, with what models, services and
 * people said of it then. Writes nothing; who asks (a customer, a dispute) decides what follows.
 */
import type { ReverificationCause } from "@contingent/contracts/http/receipts";
import type { JobId } from "@contingent/core/ids";
import { type StoredEvidence, storedEvidence } from "@contingent/db/evidence";
import {
  asItIsNow,
  changedSince,
  type Evidence,
  evidenceHash,
  judgeAnswer,
  type JudgedAnswer,
} from "@contingent/validators/judge-answer";
import { verdictOf } from "@contingent/validators/evaluate";
import { type RunCheck, ValidatorError } from "@contingent/validators/validator";
import type { IntakeContext } from "../context.ts";

export interface Reverification {
  readonly verdict: StoredEvidence["verdict"];
  /** Null: it cannot be said. */
  readonly stands: boolean | null;
  readonly because: ReverificationCause;
  /** What the validators of today say; null when they could not. */
  readonly recomputed: JudgedAnswer | null;
  /** Validators that are not what they were when the verdict was reached. */
  readonly changedValidators: readonly { readonly was: string; readonly is: string | null }[];
  readonly evidenceHash: { readonly stored: string; readonly recomputed: string | null };
}

/** Null: no answer of the job has been judged. */
export async function reverify(
  { pool, payloads, loader, run }: Pick<IntakeContext, "pool" | "payloads" | "loader" | "run">,
  id: JobId,
): Promise<Reverification | null> {
  // Loaded as for a settlement, because that brings the terms as they were pinned.
  const [stored, loaded] = await Promise.all([storedEvidence(pool, id, payloads), loader.forSettlement(id)]);
  if (stored === null || loaded === null) return null;
  const { verdict, step, evidence } = stored;
  if (evidence === null) return evidenceDropped(verdict);
  return await judgeAgain(verdict, { version: loaded.version, step, ...evidence }, run);
}

/** What it was reached from is gone. Its hash stays, so that whoever kept the texts can still show that it was these. */
function evidenceDropped(verdict: StoredEvidence["verdict"]): Reverification {
  const because = "evidence_dropped";
  const evidenceHash = { stored: verdict.evidenceHash, recomputed: null };
  return { verdict, stands: STANDS[because], because, recomputed: null, changedValidators: [], evidenceHash };
}

async function judgeAgain(
  verdict: StoredEvidence["verdict"],
  evidence: Evidence,
  run: RunCheck,
): Promise<Reverification> {
  const recomputed = await verdictToday(evidence, run);
  const changed = changedSince(verdict.validators);
  // Hashed with the validators of then: otherwise every change of a validator would look like changed evidence.
  const hashes = { stored: verdict.evidenceHash, recomputed: evidenceHash(evidence, verdict.validators) };
  const because = causeOf(verdict, recomputed, hashes.stored === hashes.recomputed, changed.length > 0);
  return {
    verdict,
    stands: STANDS[because],
    because,
    recomputed,
    changedValidators: changed.map((was) => ({ was, is: asItIsNow(was) })),
    evidenceHash: hashes,
  };
}

const STANDS: Readonly<Record<ReverificationCause, boolean | null>> = {
  same_result: true,
  other_result: false,
  evidence_changed: false,
  evidence_dropped: null,
  validators_changed: null,
  validators_broke: null,
};

/** Changed evidence outweighs the rest: whatever is decided on it says nothing for the verdict. */
function causeOf(
  stored: StoredEvidence["verdict"],
  recomputed: JudgedAnswer | null,
  isSameEvidence: boolean,
  areOtherValidators: boolean,
): ReverificationCause {
  if (!isSameEvidence) return "evidence_changed";
  if (recomputed === null) return "validators_broke";
  if (isSameResult(stored, recomputed)) return "same_result";
  return areOtherValidators ? "validators_changed" : "other_result";
}

/** All that a price can depend on. */
function isSameResult(stored: StoredEvidence["verdict"], recomputed: JudgedAnswer): boolean {
  const { decision, score, value } = recomputed;
  return stored.decision === decision && stored.score === score && stored.value === value;
}

async function verdictToday(evidence: Evidence, run: RunCheck): Promise<JudgedAnswer | null> {
  try {
    return verdictOf(await judgeAnswer(evidence, run));
  } catch (error) {
    if (error instanceof ValidatorError) return null;
    throw error;
  }
}
