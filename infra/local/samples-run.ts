/** Runs the sample jobs through the public API, as a customer would, and shows what came of them. */
import { createHash, randomUUID } from "node:crypto";
import { jobSchema, type JobBody } from "@contingent/contracts/http/job";
import type { OutcomeTypeDefinition } from "@contingent/contracts/http/outcome-types";
import { summarySchema } from "@contingent/contracts/http/summary";
import type { Json } from "@contingent/core/json";
import { formatMoney, parseMoney, sum, ZERO } from "@contingent/core/money";
import { Problem } from "@contingent/embedded/problem";
import { ApiError } from "@contingent/embedded/api-client";
import { showBooks } from "./books.ts";
import { type Attended, attendUntil } from "./people.ts";
import { showStory, showSummary, showCurl } from "./report.ts";
import { sampleJobs, sampleOutcomeTypes, type SampleJob } from "./samples/samples.ts";
import type { Progress, Screen } from "./screen.ts";
import type { Stack } from "./stack.ts";
import type { VendorRegister } from "./vendor-register.ts";

const SUBMISSIONS_AT_ONCE = 8;
/** Above the samples' deadline of two minutes, after which every job is closed one way or another. */
const CLOSED_TIMEOUT_MS = 180_000;

/**
 * Publishes the sample outcome types, submits the jobs, waits until all are closed, and reports.
 * @throws Problem when the API refuses something, or a job does not end
 */
export async function runSamples(
  stack: Stack,
  screen: Screen,
  dataFolder: string,
  register: VendorRegister,
): Promise<void> {
  try {
    await submitAndReport(stack, screen, dataFolder, register);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Problem(`The samples did not go through: ${said}`, { cause: error });
  }
}

async function submitAndReport(
  stack: Stack,
  screen: Screen,
  dataFolder: string,
  register: VendorRegister,
): Promise<void> {
  screen.heading("Samples");
  const { jobs, existing } = await submitAll(stack, screen, register);
  if (existing > 0) {
    screen.line(
      `  ${existing} of these outcomes were bought before (same outcome_key): they are the same jobs, and nothing is billed again.`,
    );
  }
  screen.heading("Result");
  showSummary(screen, summarySchema.parse(await stack.operator.call({ path: "/v1/summary" })));
  if (stack.simulated) {
    screen.line("  Model cost is what these calls cost at the published prices; the simulator charges nothing.");
  }
  await showStory(screen, stack.operator, jobs);
  await showBooks(screen, stack, dataFolder);
  showCurl(screen, stack, shortest(sampleJobs.filter(worksAlone)));
}

function announce(stack: Stack, screen: Screen): void {
  const counts = sampleOutcomeTypes.map(
    ({ name }) => `${sampleJobs.filter((job) => job.outcome_type === name).length} × ${name}`,
  );
  screen.line(`  ${sampleJobs.length} jobs: ${counts.join(", ")}`);
  if (stack.simulated) return;
  screen.note(`the real API is called: these jobs may cost at most ${mostCost()} USD, and usually far less`);
}

/** The sum of the jobs' cost caps: the system spends no more, whatever the models do. */
function mostCost(): string {
  const caps = new Map(
    sampleOutcomeTypes.map(({ name, definition }) => [name, parseMoney(definition.cost_cap) ?? ZERO]),
  );
  return formatMoney(sum(sampleJobs.map((job) => caps.get(job.outcome_type) ?? ZERO)));
}

/** Whether nobody besides the system has a say in it. */
function worksAlone({ outcome_type: type }: SampleJob): boolean {
  const definition = sampleOutcomeTypes.find(({ name }) => name === type)?.definition;
  return !/"use":"(?:human|customer_acceptance|http)"/.test(JSON.stringify(definition?.validator ?? null));
}

/** The sample that makes the shortest command to copy. */
function shortest(jobs: readonly SampleJob[]): SampleJob | null {
  const length = (job: SampleJob): number => JSON.stringify(job.input).length;
  return jobs.toSorted((a, b) => length(a) - length(b))[0] ?? null;
}

interface Submitted {
  readonly jobs: readonly JobBody[];
  /** How many were bought in an earlier run. */
  readonly existing: number;
}

async function submitAll(stack: Stack, screen: Screen, register: VendorRegister): Promise<Submitted> {
  for (const { name, definition } of sampleOutcomeTypes)
    await stack.operator.publish(name, withRegister(definition, register.url));
  announce(stack, screen);
  const progress = screen.progress(sampleJobs.length);
  const jobs: JobBody[] = [];
  let existing = 0;
  const closing: Promise<void>[] = [];
  const waiting = [...sampleJobs];
  const lane = async (): Promise<void> => {
    for (let sample = waiting.shift(); sample !== undefined; sample = waiting.shift()) {
      const accepted = await submit(sample, stack);
      if (accepted.existing) existing += 1;
      const closed = stack.api.closed(accepted.job.id, CLOSED_TIMEOUT_MS).then((job) => {
        jobs.push(job);
        showProgress(progress, jobs);
      });
      // It is waited for below. Should the system die before, its end must not be told as a stack of frames.
      closed.catch(() => undefined);
      closing.push(closed);
    }
  };
  const allClosed = Promise.all(Array.from({ length: SUBMISSIONS_AT_ONCE }, lane)).then(() => Promise.all(closing));
  const attended = await attendUntil(allClosed, stack);
  progress.end();
  showOthers(screen, attended, register.asked());
  return { jobs, existing };
}

/** The definition with the service where it is now. */
function withRegister(definition: OutcomeTypeDefinition, url: string): Json {
  const sent = JSON.stringify(definition).replaceAll(
    /"http:\/\/127\.0\.0\.1:\d+\/vendors\/check"/g,
    JSON.stringify(url),
  );
  return JSON.parse(sent) as Json;
}

/** What was not decided by the system: by people, whom the start command played, and by a service of the operator's. */
function showOthers(screen: Screen, { released, rejected, accepted }: Attended, asked: number): void {
  if (released + rejected + accepted + asked === 0) return;
  const rejections = rejected === 0 ? "" : `, rejected ${rejected}`;
  screen.line(
    `  In the place of people this command released ${released} reviews${rejections} and accepted ${accepted} outcomes; its vendor register was asked ${asked} times.`,
  );
}

async function submit(sample: SampleJob, stack: Stack): Promise<{ readonly job: JobBody; readonly existing: boolean }> {
  const body = { ...sample, outcome_key: `${sample.outcome_key}-${digestOf(sample.input)}` };
  // Its own: a request that is repeated because the API was just being started again is not taken for an earlier run's.
  const headers = { "idempotency-key": randomUUID() };
  const request = { method: "POST", path: "/v1/jobs", body, headers };
  const answer = await stack.api.send(request);
  if (answer.status !== 200 && answer.status !== 202) throw new ApiError(request, answer);
  return { job: jobSchema.parse(answer.body), existing: answer.headers.get("contingent-existing-job") === "true" };
}

/** Part of the outcome key: the same sample is the same outcome for ever, and one that was edited since is another. */
function digestOf(input: SampleJob["input"]): string {
  return createHash("sha256").update(JSON.stringify(input)).digest("hex").slice(0, 12);
}

function showProgress(progress: Progress, jobs: readonly JobBody[]): void {
  const count = (resolution: JobBody["resolution"]): number =>
    jobs.filter((job) => job.resolution === resolution).length;
  progress.update(jobs.length, `${count("success")} success, ${count("partial")} partial, ${count("failure")} failed`);
}
