/** Hazard: a deployment with customers that is still set up as it was for trying things out. */
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import path from "node:path";
import { childEnvironment, ROOT, SERVICES, type ServiceName } from "@contingent/embedded/services";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const REFUSED = 78;

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

async function started(
  service: ServiceName,
): Promise<{ readonly code: number | null; readonly said: readonly string[] }> {
  const given: Record<string, string> = {
    DATABASE_URL: database.url,
    QUEUE_URL: database.url,
    CONTINGENT_ENV: "production",
    TIER: "fast",
    ANTHROPIC_API_KEY: "simulated",
    ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
    PUBLIC_URL: "http://localhost:4080",
    RECEIPT_KEYS: JSON.stringify({ keys: [generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })] }),
  };
  const { entry, reads } = SERVICES[service];
  const read = Object.fromEntries(Object.entries(given).filter(([name]) => reads.includes(name)));
  const child = spawn(process.execPath, [path.join(ROOT, entry)], { env: childEnvironment(read) });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const lines = output.split("\n").filter((line) => line !== "");
  return { code, said: lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg) };
}

const BY_ALL = ["DATABASE_URL logs in as a superuser", "the database forgets what it has committed"];
const BY_CALLERS = ["ANTHROPIC_API_KEY is the simulator's", "ANTHROPIC_BASE_URL is not https://"];
const SAID: Readonly<Record<ServiceName, readonly string[]>> = {
  intake: [...BY_ALL, "PUBLIC_URL is not https://"],
  worker: [...BY_ALL, ...BY_CALLERS],
  validator: [...BY_ALL, ...BY_CALLERS],
  ledger: BY_ALL,
};

describe("in production, on a database for trying things out, with a superuser for a login, it does not start", () => {
  test.concurrent.each(Object.entries(SAID))("%s", async (service, reasons) => {
    const { code, said } = await started(service as ServiceName);
    expect(code).toBe(REFUSED);
    for (const reason of reasons) expect(said.join("\n")).toContain(reason);
  });
});
