/** Receipts of jobs that the whole system did, verified by the script with what the API gave, and nothing else. */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { JobBody } from "@contingent/contracts/http/job";
import { receiptSchema, reverificationSchema } from "@contingent/contracts/http/receipts";
import { ROOT } from "@contingent/embedded/services";
import { startSystem, type System } from "@contingent/testkit/system";
import { afterAll, beforeAll, expect, test } from "vitest";

const TYPE = "totals";
const INPUT = { document: "Total due: 12.50 €", page: 1.0 };
const OUTPUT = { total: "12.50" };

let system: System;
let folder = "";
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-receipts-"));
  // Whoever has no use for the variable does not read it.
  const env = { RECEIPT_KEYS: newKeySet() };
  system = await startSystem({ transport: "postgres", workers: { standard: 0, premium: 0 }, env });
  system.simulator.script({ match: "Total due", steps: [{ step: "answer_json", json: OUTPUT }], afterwards: "last" });
  await system.operator.publish(TYPE, {
    description: "The total of an invoice",
    currency: "USD",
    prompt: { system: "Extract.", user: "{{input.document}}" },
    input_schema: { type: "object", properties: { document: { type: "string" }, page: { type: "number" } } },
    output_schema: {
      type: "object",
      properties: { total: { type: "string" } },
      required: ["total"],
      additionalProperties: false,
    },
    validator: {
      all: [
        { use: "json_schema", options: {} },
        { use: "grounded", options: { fields: ["/total"], source: "/document" } },
      ],
    },
    success_at: 0.9,
    cascade: [{ tier: "fast" }],
    cost_cap: "0.08",
    deadline_ms: 60_000,
    price: { shape: "binary", amount: "0.04" },
  });
});
afterAll(async () => {
  await system.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function chargedJob(): Promise<JobBody> {
  const { id } = await system.api.submit({ outcome_type: TYPE, input: INPUT });
  const job = await system.api.closed(id);
  expect(job).toMatchObject({ resolution: "success", output: OUTPUT });
  return job;
}

/** Asks the API for something and keeps the answer as a file. */
async function saved(name: string, url: string): Promise<string> {
  const { status, body } = await system.api.send({ path: url });
  expect(status).toBe(200);
  return written(name, body);
}

function written(name: string, content: unknown): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, JSON.stringify(content));
  return file;
}

function verify(...args: readonly string[]): string {
  const script = path.join(ROOT, "infra/receipt/verify-receipt.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

function newKeySet(): string {
  return JSON.stringify({ keys: [generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })] });
}

test("the receipt of a real charge is genuine, for exactly what was sent and delivered, and its verdict stands", async () => {
  const job = await chargedJob();
  const receipt = await saved("receipt.json", `/v1/jobs/${job.id}/receipt`);
  const keys = await saved("jwks.json", "/.well-known/jwks.json");
  const told = verify(
    receipt,
    "--keys",
    keys,
    "--input",
    written("input.json", INPUT),
    "--output",
    written("output.json", job.output),
  );
  expect(told).toContain("which is input.json");
  expect(told).toContain("which is output.json");
  expect(told).toContain(job.id);

  const { body } = await system.api.send({ method: "POST", path: `/v1/jobs/${job.id}/reverify` });
  const { payload } = receiptSchema.parse(JSON.parse(fs.readFileSync(receipt, "utf8")));
  expect(reverificationSchema.parse(body)).toMatchObject({
    verdict: { id: payload.verdict.id },
    stands: true,
    evidence_hash: { stored: payload.verdict.evidence_hash, matches: true },
  });
});

test("a receipt outlives the key that signed it, and the process that knew it", async () => {
  const job = await chargedJob();
  const receipt = await saved("old.json", `/v1/jobs/${job.id}/receipt`);
  await system.restart("intake", { RECEIPT_KEYS: newKeySet() });
  const later = await chargedJob();
  const fresh = await saved("fresh.json", `/v1/jobs/${later.id}/receipt`);
  const keys = await saved("all-keys.json", "/.well-known/jwks.json");
  const signers = [receipt, fresh].map((file) => /the key (\S+)\./.exec(verify(file, "--keys", keys))?.[1]);
  expect(new Set(signers).size).toBe(2);
  const again = await saved("again.json", `/v1/jobs/${job.id}/receipt`);
  expect(fs.readFileSync(again, "utf8")).toBe(fs.readFileSync(receipt, "utf8"));
});
