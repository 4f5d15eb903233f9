/** What the samples cost and earned; how one job got there; how to post your own. */
import type { JobBody, OperatorAttemptBody, OperatorJobBody } from "@contingent/contracts/http/job";
import type { SummaryBody } from "@contingent/contracts/http/summary";
import type { ApiClient } from "@contingent/embedded/api-client";
import type { SampleJob } from "./samples/samples.ts";
import type { Screen } from "./screen.ts";
import type { Stack } from "./stack.ts";

/** Jobs that are looked at for a good story. */
const STORIES_TRIED_MAX = 12;
const FINDINGS_SHOWN_MAX = 4;

type Figures = SummaryBody["totals"];

const COLUMNS: readonly (readonly [title: string, cell: (figures: Figures) => string])[] = [
  ["jobs", ({ jobs }) => String(jobs)],
  ["success", ({ success }) => String(success)],
  ["partial", ({ partial }) => String(partial)],
  ["failed", ({ failed }) => String(failed)],
  ["attempts", ({ attempts }) => String(attempts)],
  ["escalations", ({ escalations }) => String(escalations)],
  ["billed", ({ billed }) => billed.amount],
  ["model cost", (figures) => figures.model_cost.amount],
  ["absorbed cost", (figures) => figures.absorbed_cost.amount],
  ["margin", ({ margin }) => margin.amount],
];

/** A line per outcome type. Amounts are US dollars, exact. */
export function showSummary(screen: Screen, summary: SummaryBody): void {
  const row = (name: string, figures: Figures): readonly string[] => [
    name,
    ...COLUMNS.map(([, cell]) => cell(figures)),
  ];
  const rows = summary.outcome_types.map((line) => row(line.outcome_type, line));
  screen.table(["outcome type", ...COLUMNS.map(([title]) => title)], [...rows, row("all (USD)", summary.totals)]);
}

/** Tells one job that a first tier could not do: each attempt, what was wrong with it, and the bill. */
export async function showStory(screen: Screen, operator: ApiClient, jobs: readonly JobBody[]): Promise<void> {
  const job = await findStory(operator, jobs);
  if (job === null) {
    screen.line("\nNo job had to escalate.");
    return;
  }
  screen.heading(
    `One job that escalated: ${job.id}  (${job.outcome_type} v${job.outcome_type_version}, ${job.metadata["sample"] ?? "yours"})`,
  );
  for (const attempt of job.attempt_list ?? []) showAttempt(screen, attempt);
  screen.line(`  ${billLine(job)}`);
  if (job.trace_id !== null) screen.line(`  trace ${job.trace_id}`);
}

/** A success after another tier had failed, if there is one; else any job that used two tiers. */
async function findStory(operator: ApiClient, jobs: readonly JobBody[]): Promise<OperatorJobBody | null> {
  const candidates = jobs
    .filter((job) => job.attempts > 1)
    .toSorted(
      (a, b) => Number(b.resolution === "success") - Number(a.resolution === "success") || a.id.localeCompare(b.id),
    );
  let fallback: OperatorJobBody | null = null;
  for (const { id } of candidates.slice(0, STORIES_TRIED_MAX)) {
    const job = await operator.jobInFull(id);
    const attempts = job.attempt_list ?? [];
    if (new Set(attempts.map(({ tier }) => tier)).size < 2) continue;
    if (attempts.some(({ verdict }) => verdict !== null && verdict.findings.length > 0)) return job;
    fallback ??= job;
  }
  return fallback;
}

function showAttempt(screen: Screen, attempt: OperatorAttemptBody): void {
  const tokens = attempt.tokens === null ? "no usage" : `${attempt.tokens.input} in, ${attempt.tokens.output} out`;
  const { verdict } = attempt;
  const judged =
    verdict === null ? (attempt.outcome ?? "running") : `${verdict.decision}, score ${verdict.score.toFixed(2)}`;
  screen.line(
    `  ${attempt.number}. ${attempt.tier.padEnd(9)} ${attempt.model.padEnd(18)} ${tokens.padEnd(22)} cost ${attempt.cost.amount.padEnd(11)} ${judged}`,
  );
  const findings = verdict?.findings ?? [];
  for (const { path, code, message } of findings.slice(0, FINDINGS_SHOWN_MAX)) {
    screen.line(`       ${path === "" ? "(whole answer)" : path} [${code}] ${message}`);
  }
  if (findings.length > FINDINGS_SHOWN_MAX)
    screen.line(`       and ${findings.length - FINDINGS_SHOWN_MAX} more findings`);
}

function billLine(job: OperatorJobBody): string {
  const outcome = `${job.resolution ?? job.state} (${job.reason ?? "open"})`;
  const price = job.price === null ? "nothing is charged" : `charged ${job.price.amount} ${job.price.currency}`;
  return `bill: ${outcome}, ${price}; model cost ${job.cost.amount}, margin ${job.margin.amount}`;
}

/** The command that posts a job of your own. */
export function showCurl(screen: Screen, stack: Stack, example: SampleJob | null): void {
  if (example === null) return;
  const body = JSON.stringify({ outcome_type: example.outcome_type, input: example.input });
  screen.heading("Post your own");
  screen.line(`  curl -s ${stack.api.url}/v1/jobs \\`);
  screen.line(`    -H 'Authorization: Bearer ${stack.keys.customer}' \\`);
  screen.line("    -H 'Content-Type: application/json' -H 'Prefer: wait=30' \\");
  screen.line(`    -d ${quoted(body)}`);
}

/** As one word for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
