import fc from "fast-check";
import { expect, test } from "vitest";
import { countBySource, type Label, LABEL_SOURCES, strongestLabels } from "./labels.ts";

const label = fc.record<Label>({
  verdictId: fc.constantFrom("vrd_a", "vrd_b", "vrd_c"),
  source: fc.constantFrom(...LABEL_SOURCES),
  score: fc.constant(0.9),
  correct: fc.boolean(),
});

test("a customer accepts, a dispute is credited, an audit finds it right: the audit counts", () => {
  const about = { verdictId: "vrd_a", score: 0.9 };
  const labels: readonly Label[] = [
    { ...about, source: "dispute", correct: false },
    { ...about, source: "audit", correct: true },
    { ...about, source: "acceptance", correct: false },
  ];
  expect(strongestLabels(labels)).toEqual([labels[1]]);
  expect(strongestLabels(labels.filter(({ source }) => source !== "audit"))).toEqual([labels[0]]);
  expect(countBySource(labels)).toEqual({ acceptance: 1, dispute: 1, operator: 0, audit: 1 });
});

test("each outcome has one label, of the strongest source that there is for it", () => {
  fc.assert(
    fc.property(fc.array(label, { maxLength: 12 }), (labels) => {
      const kept = strongestLabels(labels);
      expect(new Set(kept.map(({ verdictId }) => verdictId)).size).toBe(kept.length);
      for (const { verdictId, source } of labels) {
        const one = kept.find((each) => each.verdictId === verdictId);
        expect(LABEL_SOURCES.indexOf(one?.source ?? "acceptance")).toBeGreaterThanOrEqual(
          LABEL_SOURCES.indexOf(source),
        );
      }
    }),
  );
});
