/** Hazard: a name that acts on whoever opens the page: the API knows only harmless ones, and the page does not rely on it. */
import type { QualityBody, QualityFigures } from "@contingent/contracts/http/quality";
import { expect, test } from "vitest";
import { QUALITY_PAGE_POLICY, qualityPage } from "./page.ts";

const HOSTILE = `"><script>alert('x')</script><svg onload=alert(1)>&amp;</title></style>\u202e`;
const ESCAPED =
  "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&lt;svg onload=alert(1)&gt;&amp;amp;&lt;/title&gt;&lt;/style&gt;\u202e";

const FIGURES: QualityFigures = {
  labels: { total: 30, audit: 30, operator: 0, dispute: 0, acceptance: 0 },
  calibration: {
    status: "calibrated",
    reason: null,
    basis: [],
    curve: [{ from_score: 0, to_score: 1, probability: 0.5, labels: 30 }],
    bins: [{ mean_score: 0.5, share_correct: 0.5, labels: 30 }],
    of_score: null,
    of_calibrated: null,
  },
  precision: { point: 0.5, low: 0.3, high: 0.7, audited: 30, correct: 15, basis: "random_audits" },
  audits: { undecided: 0, open: 0, overdue: 0 },
  false_bills: { rate: 0.5, low: 0.3, high: 0.7, maximum: 0.1, state: "exceeded" },
};

test("what others have named is shown as they wrote it, and is no markup", () => {
  const version = { ...FIGURES, version: HOSTILE } as unknown as QualityBody["versions"][number];
  const quality = { object: "outcome_type_quality", outcome_type: HOSTILE, over_all: FIGURES, versions: [version] };
  const html = qualityPage(quality as QualityBody, { operatorName: HOSTILE, nowMs: 0 });
  // The title names both; the head each; the version stands in its warning, table, diagram and calibration.
  expect(html.split(ESCAPED).length - 1).toBeGreaterThanOrEqual(8);
  expect(html).not.toContain("alert('x')");
  const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, name = ""]) => name.toLowerCase()));
  expect(["script", "img", "iframe", "link", "a", "form", "object"].filter((name) => tags.has(name))).toEqual([]);
  for (const once of ["</style>", "</html>"]) expect(html.split(once)).toHaveLength(2);
  expect(html).not.toMatch(/<[^>]+\son\w+=/);
});

test("the policy lets nothing run, whatever the page may hold", () => {
  expect(QUALITY_PAGE_POLICY).toMatch(
    /^default-src 'none'; style-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
  );
});
