import { createHash } from "node:crypto";
import type { AttemptId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import type { Verdict } from "@contingent/core/verdict";
import type { StoredVerdict } from "@contingent/db/commit";
import { newId } from "@contingent/db/ids";
import { storableJson } from "@contingent/db/storable";
import { evaluate } from "@contingent/validators/evaluate";
import { parseOutput } from "@contingent/validators/parse-output";

export interface Evidence {
  readonly version: OutcomeTypeVersion;
  readonly input: Json;
  readonly answer: { readonly attemptId: AttemptId; readonly text: string };
}

/** A verdict, or the news that the validator itself broke: that says nothing about the answer. */
export type Judgement =
  | { readonly kind: "verdict"; readonly verdict: StoredVerdict }
  | { readonly kind: "broke"; readonly error: string };

/** Judges an answer by its outcome type's validators. Never rejects. */
export function judge(evidence: Evidence): Judgement {
  const startMs = performance.now();
  try {
    const { version, input, answer } = evidence;
    const parsed = parseOutput(answer.text);
    const verdict: Verdict = parsed.ok
      ? evaluate(version.validator, { input, output: parsed.value, outputSchema: version.outputSchema }, version.terms)
      : { decision: "fail", score: 0, findings: [parsed.finding], validators: ["output@1"] };
    return {
      kind: "verdict",
      verdict: {
        ...verdict,
        id: newId("vrd"),
        attemptId: answer.attemptId,
        findings: verdict.findings.map((f) => storableJson({ ...f }) as typeof f & Json),
        output: parsed.ok ? storableJson(parsed.value) : null,
        evidenceHash: evidenceHash(evidence, verdict.validators),
        durationMs: performance.now() - startMs,
      },
    };
  } catch (error) {
    return { kind: "broke", error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

/** SHA-256 over what the verdict was reached from; the same evidence gives the same hash. */
function evidenceHash({ version, input, answer }: Evidence, validators: readonly string[]): string {
  const parts = [version.id, JSON.stringify(input), answer.text, ...validators];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}
