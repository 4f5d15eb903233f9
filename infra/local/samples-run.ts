/** Runs the sample jobs through the public API, as a customer would, and shows what came of them. */
import { createHash } from "node:crypto";
import { jobSchema, type JobBody } from "@contingent/contracts/http/job";
import { summarySchema } from "@contingent/contracts/http/summary";
import { formatMoney, parseMoney, sum, ZERO } from "@contingent/core/money";
import { ApiError } from "@contingent/embedded/api-client";
import { showStory, showSummary, showCurl } from "./report.ts";
import { loadSamples, type Sample, type Samples } from "./samples.ts";
import type { Progress, Screen } from "./screen.ts";
import type { Stack } from "./stack.ts";

const SUBMISSIONS_AT_ONCE = 8;

/** Publishes the sample outcome types, submits the jobs, waits until all are closed, and reports. */
export async function runSamples(stack: Stack, screen: Screen): Promise<void> {
  const samples = await loadSamples();
  screen.heading("Samples");
  for (const { name, definition } of samples.outcomeTypes) await stack.operator.publish(name, definition);
  announce(samples, stack, screen);
  const { jobs, existing } = await submitAll(samples.jobs, stack, screen);
  if (existing > 0) {
    screen.line(
      `  ${existing} of these outcomes were bought before (same outcome_key): they are the same jobs, and nothing is billed again.`,
    );
  }
  screen.heading("Result");
  showSummary(screen, summarySchema.parse(await stack.operator.call({ path: "/v1/summary" })));
  await showStory(screen, stack.operator, jobs);
  showCurl(screen, stack, samples.example);
}

function announce(samples: Samples, stack: Stack, screen: Screen): void {
  const counts = samples.outcomeTypes.map(
    ({ name }) => `${samples.jobs.filter((job) => job.outcomeType === name).length} × ${name}`,
  );
  screen.line(`  ${samples.jobs.length} jobs: ${counts.join(", ")}`);
  if (!stack.simulated)
    screen.note(`the real API is called: these jobs may cost at most ${mostCost(samples)} USD, and usually far less`);
}

/** The sum of the jobs' cost caps: the system spends no more, whatever the models do. */
function mostCost(samples: Samples): string {
  const caps = new Map(
    samples.outcomeTypes.map(({ name, definition }) => [name, parseMoney(definition.cost_cap) ?? ZERO]),
  );
  return formatMoney(sum(samples.jobs.map((job) => caps.get(job.outcomeType) ?? ZERO)));
}

interface Submitted {
  readonly jobs: readonly JobBody[];
  /** How many were bought in an earlier run. */
  readonly existing: number;
}

async function submitAll(samples: readonly Sample[], stack: Stack, screen: Screen): Promise<Submitted> {
  const progress = screen.progress(samples.length);
  const jobs: JobBody[] = [];
  let existing = 0;
  const closing: Promise<void>[] = [];
  const waiting = [...samples];
  const lane = async (): Promise<void> => {
    for (let sample = waiting.shift(); sample !== undefined; sample = waiting.shift()) {
      const accepted = await submit(sample, stack);
      if (accepted.existing) existing += 1;
      closing.push(
        stack.api.closed(accepted.job.id).then((job) => {
          jobs.push(job);
          showProgress(progress, jobs);
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: SUBMISSIONS_AT_ONCE }, lane));
  await Promise.all(closing);
  progress.end();
  return { jobs, existing };
}

async function submit(sample: Sample, stack: Stack): Promise<{ readonly job: JobBody; readonly existing: boolean }> {
  const request = {
    method: "POST",
    path: "/v1/jobs",
    body: {
      outcome_type: sample.outcomeType,
      input: sample.input,
      outcome_key: outcomeKey(sample),
      metadata: { sample: sample.name },
    },
  };
  const answer = await stack.api.send(request);
  if (answer.status !== 200 && answer.status !== 202) throw new ApiError(request, answer);
  return { job: jobSchema.parse(answer.body), existing: answer.headers.get("contingent-existing-job") === "true" };
}

/** The same sample is the same outcome, for ever; an edited one is another. */
function outcomeKey(sample: Sample): string {
  const digest = createHash("sha256").update(JSON.stringify(sample.input)).digest("hex");
  return `sample-${sample.name}-${digest.slice(0, 12)}`;
}

function showProgress(progress: Progress, jobs: readonly JobBody[]): void {
  const count = (resolution: JobBody["resolution"]): number =>
    jobs.filter((job) => job.resolution === resolution).length;
  progress.update(jobs.length, `${count("success")} success, ${count("partial")} partial, ${count("failure")} failed`);
}
