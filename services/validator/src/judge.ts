import type { AttemptId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import type { StoredVerdict } from "@contingent/db/commit";
import { newId } from "@contingent/db/ids";
import { storableJson } from "@contingent/db/storable";
import { verdictOf } from "@contingent/validators/evaluate";
import { evidenceHash, judgeAnswer } from "@contingent/validators/judge-answer";
import type { RunCheck } from "@contingent/validators/validator";

export interface AnswerToJudge {
  readonly version: OutcomeTypeVersion;
  /** Index of the step of the cascade that the answer was made on. */
  readonly step: number;
  readonly input: Json;
  readonly answer: { readonly attemptId: AttemptId; readonly text: string };
}

/** A verdict, or the news that the validator itself broke: that says nothing about the answer. */
export type Judgement =
  | { readonly kind: "verdict"; readonly verdict: StoredVerdict }
  | { readonly kind: "broke"; readonly error: string };

/** Judges an answer by its outcome type's validators. Never rejects. */
export async function judge({ version, step, input, answer }: AnswerToJudge, run: RunCheck): Promise<Judgement> {
  const startMs = performance.now();
  try {
    const evidence = { version, step, input, text: answer.text };
    const judged = verdictOf(await judgeAnswer(evidence, run));
    return {
      kind: "verdict",
      verdict: {
        ...judged,
        id: newId("vrd"),
        attemptId: answer.attemptId,
        findings: judged.findings.map((f) => storableJson({ ...f }) as typeof f & Json),
        output: storableJson(judged.output),
        evidenceHash: evidenceHash(evidence, judged.validators),
        durationMs: performance.now() - startMs,
      },
    };
  } catch (error) {
    return { kind: "broke", error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}
