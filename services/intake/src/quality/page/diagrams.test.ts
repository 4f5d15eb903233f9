/** Hazard: a picture of quality leaves out what is best: circles at 100 % lie at its edge. */
import { expect, test } from "vitest";
import { reliabilityDiagram } from "./diagrams.ts";

test("every circle lies within the picture, also the largest in each corner", () => {
  const corners = [0, 1].flatMap((mean_score) =>
    [0, 1].map((share_correct) => ({ mean_score, share_correct, labels: 30 })),
  );
  const svg = reliabilityDiagram(
    { status: "calibrated", reason: null, basis: [], curve: [], bins: corners, of_score: null, of_calibrated: null },
    "a type",
  );
  const [width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)?.slice(1).map(Number) ?? [];
  const circles = [...svg.matchAll(/<circle class="bin" cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"/g)];
  expect(circles).toHaveLength(4);
  for (const [cx = 0, cy = 0, r = 0] of circles.map((found) => found.slice(1).map(Number))) {
    expect(Math.min(cx, cy) - r).toBeGreaterThan(1);
    expect(cx + r).toBeLessThan((width ?? 0) - 1);
    expect(cy + r).toBeLessThan((height ?? 0) - 1);
  }
});
