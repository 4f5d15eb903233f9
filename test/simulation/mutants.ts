/**
 * Breaks the core on purpose, one thing at a time, in a copy, and looks whether the simulation notices.
 * `node test/simulation/mutants.ts [name …]`; the table that it prints stands in README.md. A few seconds for each, so it
 * is not part of `npm test`.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");
const CORE = path.join(ROOT, "packages/core/src");

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const MUTANTS: readonly Mutant[] = [
  {
    name: "a move does not raise the revision",
    file: "job/moves.ts",
    from: "revision: job.revision + 1,",
    to: "revision: job.revision,",
  },
  {
    name: "an answer may be of any attempt",
    file: "job/decide.ts",
    from: "return job.state === state && job.progress.current?.attemptId === fact.attemptId;",
    to: "return job.state === state;",
  },
  {
    name: "a verdict after the deadline counts",
    file: "job/decide.ts",
    from: 'if (now.nowMs >= job.deadlineAtMs) return stop(tried, "deadline", now);\n  if (fact.decision',
    to: "if (fact.decision",
  },
  {
    name: "a lost lease is never noticed",
    file: "job/decide.ts",
    from: 'return now.nowMs >= job.wakeAtMs ? lost(job, now) : { kind: "ignored", because: "still_waiting" };',
    to: 'return { kind: "ignored", because: "still_waiting" };',
  },
  {
    name: "a lost call is free",
    file: "job/decide.ts",
    from: 'endAttempt(job, "lost", "presumed")',
    to: 'endAttempt(job, "lost", "released")',
  },
  {
    name: "a canceled call is free",
    file: "job/decide.ts",
    from: 'endAttempt(job, "canceled", "presumed")',
    to: 'endAttempt(job, "canceled", "released")',
  },
  {
    name: "a failed call is free, whatever was billed",
    file: "job/decide.ts",
    from: 'fact.mayHaveBeenBilled ? "presumed" : "released"',
    to: '"released"',
  },
  {
    name: "an acceptance is heard after its window",
    file: "job/decide.ts",
    from: 'return job.state === "awaiting_acceptance" && now.nowMs < job.readyAtMs;',
    to: 'return job.state !== "closed" && job.progress.best !== null;',
  },
  {
    name: "a rejected outcome stays in hand",
    file: "job/moves.ts",
    from: "best: null,\n      outages: 0,",
    to: "outages: 0,",
  },
  {
    name: "what a verdict may cost is not left free",
    file: "job/job.ts",
    from: "return subtract(budgetLeft(job), verdictReserve(job));",
    to: "return budgetLeft(job);",
  },
  {
    name: "the cap is not looked at",
    file: "job/claim.ts",
    from: "if (outputTokensMax < smallestAnswer(job)) return cheaperPlace(job, fact, now);",
    to: "",
  },
  {
    name: "an attempt begins after the deadline",
    file: "job/claim.ts",
    from: "if (timeLeftMs <= 0) return outOfTime(job, now);",
    to: "",
  },
  {
    name: "attempts are not counted",
    file: "job/moves.ts",
    from: "i === step ? n + 1 : n",
    to: "i === step ? n : n",
  },
  {
    name: "a job turns in a circle while everything is away",
    file: "job/moves.ts",
    from: "Math.max(backoffMs(currentStep(job).retry, outages, now.random), OUTAGE_WAIT_MIN_MS)",
    to: "0",
  },
  {
    name: "nobody looks at a waiting job before its deadline is over",
    file: "job/moves.ts",
    from: "return Math.min(dueAtMs + PATIENCE_MS, job.deadlineAtMs);",
    to: "return job.deadlineAtMs + 10 * PATIENCE_MS;",
  },
  {
    name: "a job to be settled has no message",
    file: "job/messages.ts",
    from: 'case "awaiting_acceptance":\n    case "settling":',
    to: 'case "settling":\n      return null;\n    case "awaiting_acceptance":',
  },
  {
    name: "an inquiry without a reply is free",
    file: "job/inquire.ts",
    from: "(reported ?? reserve)",
    to: "(reported ?? ZERO)",
  },
];

const chosen = process.argv.slice(2);
const copy = fs.mkdtempSync(path.join(os.tmpdir(), "simulation-mutants-"));
try {
  fs.cpSync(CORE, path.join(copy, "core"), { recursive: true });
  fs.writeFileSync(
    path.join(copy, "vitest.config.mjs"),
    `export default { root: ${JSON.stringify(ROOT)}, resolve: { alias: [{ find: /^@contingent\\/core\\/(.*)$/, replacement: ${JSON.stringify(copy)} + "/core/$1.ts" }] },
       test: { include: ["test/simulation/**/*.test.ts"] } };\n`,
  );
  const said = noticed();
  if (said !== null) throw new Error(`the simulation fails without a mutation: ${said}`);
  const mutants = MUTANTS.filter(({ name }) => chosen.length === 0 || chosen.some((each) => name.includes(each)));
  const survivors = mutants.filter((mutant) => !judge(mutant));
  process.stdout.write(`\n${mutants.length - survivors.length} of ${mutants.length} mutants were noticed\n`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
} finally {
  fs.rmSync(copy, { recursive: true, force: true });
}

/** Mutates, lets the simulation look, undoes it, and prints a line of the table. @returns whether it was noticed */
function judge({ name, file, from, to }: Mutant): boolean {
  const where = path.join(copy, "core", file);
  const text = fs.readFileSync(where, "utf8");
  if (text.split(from).length < 2) throw new Error(`${name}: its text does not stand in ${file}`);
  fs.writeFileSync(
    where,
    text.replace(from, () => to),
  );
  const by = noticed();
  fs.writeFileSync(where, text);
  process.stdout.write(`| ${name} | \`${file}\` | ${by ?? "—"} |\n`);
  return by !== null;
}

/** What the simulation said first; null: nothing. */
function noticed(): string | null {
  const report = path.join(copy, "report.json");
  fs.rmSync(report, { force: true });
  const config = ["--config", path.join(copy, "vitest.config.mjs")];
  const { status } = spawnSync(
    path.join(ROOT, "node_modules/.bin/vitest"),
    ["run", ...config, "--reporter=json", `--outputFile=${report}`, "--bail=1"],
    { cwd: ROOT, env: { ...process.env, CI: "" } },
  );
  if (status === 0) return null;
  const text = fs.existsSync(report) ? fs.readFileSync(report, "utf8") : "";
  const said = /broken: ([^\\"]+)/.exec(text) ?? /Error: ([^\\"]+)/.exec(text);
  return (said?.[1] ?? "it did not run").replaceAll("|", "/").slice(0, 110);
}
