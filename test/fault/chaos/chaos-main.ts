/**
 * `npm run chaos -- --minutes 30 --seed 7 --transport redis --rate 100`: breaks everything again and again under load, with a
 * line that says how it goes, and a table at the end. Exit code 0: nothing was lost, charged twice, over its cap or wrong.
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import type { TransportName } from "@contingent/testkit/transports";
import { type ChaosReport, type ChaosStatus, runChaos } from "./chaos.ts";

const MINUTE_MS = 60_000;
const FINDINGS_SHOWN = 20;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    seed: { type: "string", default: randomBytes(4).toString("hex") },
    transport: { type: "string", default: "postgres" },
    rate: { type: "string", default: "100" },
  },
});
const durationMs = positive("minutes", values.minutes) * MINUTE_MS;
const ratePerS = positive("rate", values.rate);
const transport = transportOf(values.transport);
const { seed } = values;
say(`chaos on ${transport} for ${values.minutes} min at ${ratePerS} orders/s; --seed ${seed} repeats it\n`);
const report = await runChaos({ transport, seed, durationMs, ratePerS, onStatus: show });
say(`\n\n${table(report)}\n`);
process.exitCode = report.findings.length + report.refusals.length === 0 ? 0 : 1;

function show({ elapsedMs, placed, asking, open, now, faults }: ChaosStatus): void {
  const counts = `${placed} ordered · ${asking} asked for · ${open} open · ${faults} faults`;
  const line = `${Math.round(elapsedMs / 1000)} s · ${counts} · ${now}`;
  if (process.stdout.isTTY) say(`\r\u001b[2K${line}`);
  else say(`${line}\n`);
}

function table(chaos: ChaosReport): string {
  const { made, placed, recoveriesMs, findings, refusals } = chaos;
  const rows = [...recoveriesMs]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, times]) => {
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number): string =>
        `${((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) / 1000).toFixed(1)} s`;
      return `${name.padEnd(32)} ${String(times.length).padStart(5)} ${at(0.5).padStart(9)} ${at(1).padStart(9)}`;
    });
  const count = (wrong: string): number => findings.filter((each) => each.wrong === wrong).length;
  const kinds = ["lost", "violation", "over_cap", "double_charge", "miscounted", "overdrawn", "stuck", "down"];
  return [
    `${"what was done".padEnd(32)} times    median     worst   until a new customer's job was done`,
    ...rows,
    "",
    `${chaos.faults} faults · ${made} orders, ${chaos.madePerS.toFixed(1)} a second · ${placed} acknowledged, ${chaos.placedPerS.toFixed(1)} a second`,
    `${chaos.closedPerS.toFixed(1)} jobs closed a second · the last one ${(chaos.drainMs / 1000).toFixed(1)} s after the last order`,
    `${kinds.map((kind) => `${kind} ${count(kind)}`).join(" · ")} · refused ${refusals.length}`,
    ...findings.slice(0, FINDINGS_SHOWN).map(({ wrong, what }) => `  ${wrong}: ${what}`),
    ...refusals.slice(0, FINDINGS_SHOWN).map((each) => `  refused: ${each}`),
  ].join("\n");
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  say(`--${name} must be a number above 0, not "${text}".\n`);
  return process.exit(2);
}

function transportOf(text: string): TransportName {
  if (text === "postgres" || text === "redis") return text;
  say(`--transport must be postgres or redis, not "${text}".\n`);
  return process.exit(2);
}

function say(text: string): void {
  process.stdout.write(text);
}
