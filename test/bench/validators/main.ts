/**
 * `node test/bench/validators/main.ts --runs 100 --rounds 5`: what each check takes on an answer of realistic size, where it runs in
 * production (in this process, or in the sandbox's), and what a check that is stuck does to the others.
 */
import os from "node:os";
import { parseArgs } from "node:util";
import { ownSandbox } from "@contingent/sandbox/sandbox";
import { checkNamed, validatorNames } from "@contingent/validators/registry";
import type { RegisteredCheck, Subject } from "@contingent/validators/validator";
import { quantile } from "../load.ts";
import { measureIsolation } from "./isolation.ts";
import { type Payload, payloads } from "./payloads.ts";

const TARGET_MS = { inline: 10, sandbox: 100 } as const;
/** Until parsers are loaded and code is compiled, in each of the sandbox's processes. */
const WARM_UP_RUNS = 30;

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "100" },
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
  },
});
const [runs, rounds] = [Number(values.runs), Number(values.rounds)];
const sandbox = ownSandbox();
const [cpu] = os.cpus();
print(`machine: ${os.cpus().length} × ${cpu?.model ?? "?"}, Node ${process.versions.node}`);
print(`the quietest of ${rounds} rounds of ${runs}: other work on the machine only adds`);
print(`${"check".padEnd(18)}${"answer".padEnd(26)}${"where".padEnd(9)}${"p50 ms".padStart(8)}${"p99 ms".padStart(8)}`);
for (const payload of payloads) {
  if (values.only !== undefined && payload.validator !== values.only) continue;
  const { place } = named(payload.validator);
  const tookMs = await quietest(payload);
  const missed = quantile(tookMs, 0.99) < TARGET_MS[place] ? "" : `  (aim: ${TARGET_MS[place]})`;
  const what = `${payload.validator.padEnd(18)}${payload.what.padEnd(26)}${place.padEnd(9)}`;
  print(`${what}${ms(tookMs, 0.5)}${ms(tookMs, 0.99)}${missed}`);
}
const without = validatorNames().filter((name) => !payloads.some(({ validator }) => validator === name));
print(`not measured: ${without.join(", ")}`);

const ordinary = payloads.find(({ what }) => what === "10 kB of typescript");
if (ordinary !== undefined && values.only === undefined) {
  const check = named(ordinary.validator);
  const once = (): Promise<number> => timed(ordinary);
  const { aloneMs, besideMs, killed } = await measureIsolation(sandbox, check, once, runs * rounds);
  print(`\n${ordinary.what}, alone and beside a check that computes until it is killed (${killed} were):`);
  print(`alone   ${ms(aloneMs, 0.5)}${ms(aloneMs, 0.99)}`);
  print(`beside  ${ms(besideMs, 0.5)}${ms(besideMs, 0.99)}`);
  print(`ratio   ${ratio(besideMs, aloneMs, 0.5)}${ratio(besideMs, aloneMs, 0.99)}`);
}
await sandbox.close();

async function quietest(payload: Payload): Promise<readonly number[]> {
  for (let i = 0; i < WARM_UP_RUNS; i += 1) await timed(payload);
  let best: readonly number[] = [Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round += 1) {
    const tookMs: number[] = [];
    for (let i = 0; i < runs; i += 1) tookMs.push(await timed(payload));
    if (quantile(tookMs, 0.99) < quantile(best, 0.99)) best = tookMs;
  }
  return best;
}

async function timed(payload: Payload): Promise<number> {
  const check = named(payload.validator);
  const { input, output, outputSchema, options } = payload;
  const subject: Subject = { input, output, outputSchema };
  const startMs = performance.now();
  const { score, findings } = await (check.place === "inline"
    ? check.run(subject, options)
    : sandbox.run(check, subject, options));
  const tookMs = performance.now() - startMs;
  if (score !== 1)
    throw new Error(`${payload.validator}: ${payload.what} did not pass: ${JSON.stringify(findings[0])}`);
  return tookMs;
}

function named(name: string): RegisteredCheck {
  const check = checkNamed(name);
  if (check === null) throw new Error(`there is no check ${name}`);
  return check;
}

function ms(all: readonly number[], share: number): string {
  return quantile(all, share).toFixed(1).padStart(8);
}

function ratio(one: readonly number[], other: readonly number[], share: number): string {
  return (quantile(one, share) / quantile(other, share)).toFixed(2).padStart(8);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
