import type { Json } from "@contingent/core/json";
import type { StoredVerdict } from "@contingent/db/stored-verdict";
import { newId } from "@contingent/db/ids";
import { storableJson } from "@contingent/db/storable";
import { evidenceHash, type Judgement as Judged, judgeAnswer } from "@contingent/validators/judge-answer";
import { describeError } from "@contingent/runtime/log";
import { type RunCheck, ValidatorError } from "@contingent/validators/validator";
import type { Judging } from "./judging.ts";

/** Whom to ask before there can be a verdict. */
export type ToAsk = Extract<Judged, { kind: "inquire" }>;

/** A verdict, whom to ask first, or the news that the validator itself broke: that says nothing about the answer. */
export type Judgement =
  | { readonly kind: "verdict"; readonly verdict: StoredVerdict }
  | ToAsk
  | { readonly kind: "broke"; readonly error: string };

/** Judges an answer by its outcome type's validators. Never rejects. */
export async function judge({ job, version, input, answer, replies }: Judging, run: RunCheck): Promise<Judgement> {
  const startMs = performance.now();
  try {
    const evidence = { version, step: job.progress.step, input, text: answer.text, replies };
    const judged = await judgeAnswer(evidence, run);
    if (judged.kind === "inquire") return judged;
    const { verdict } = judged;
    return {
      kind: "verdict",
      verdict: {
        ...verdict,
        id: newId("vrd"),
        attemptId: answer.attemptId,
        findings: verdict.findings.map((f) => storableJson({ ...f }) as typeof f & Json),
        output: storableJson(verdict.output),
        evidenceHash: evidenceHash(evidence, verdict.validators),
        durationMs: performance.now() - startMs,
      },
    };
  } catch (error) {
    return { kind: "broke", error: errorText(error) };
  }
}

/** An error as it may be logged and kept. Of one that is none of ours only its kind: its message may quote the answer. */
export function errorText(error: unknown): string {
  if (error instanceof ValidatorError) return `${error.name}: ${error.message}`;
  const { type, message } = describeError(error);
  return message === undefined ? type : `${type}: ${message}`;
}
