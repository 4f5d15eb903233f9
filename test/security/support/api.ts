/** The API as a process of its own, on a database of its own: nothing but that is attacked, so nothing else is started. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { CustomerId } from "@contingent/core/ids";
import { ensureCustomer } from "@contingent/db/customers";
import { newId } from "@contingent/db/ids";
import { createKey } from "@contingent/db/keys";
import { openPool, type Pool } from "@contingent/db/pool";
import { apiClient, type ApiClient } from "@contingent/embedded/api-client";
import { serviceProcesses } from "@contingent/embedded/services";
import { type RunningProcess, startService, stopServices } from "@contingent/embedded/system";
import { freshDatabase } from "@contingent/testkit/postgres";
import { SECRET, SECRET_NAME } from "./signature.ts";

export interface Tenant {
  readonly id: CustomerId;
  readonly client: ApiClient;
}

export interface AttackedApi extends AsyncDisposable {
  readonly url: string;
  /** For bringing jobs where the other services would, and for looking at what is stored. */
  readonly pool: Pool;
  readonly operator: ApiClient;
  /** Without a key. */
  readonly nobody: ApiClient;
  /** Another customer each time. */
  newTenant(): Promise<Tenant>;
  /** Null as long as the process lives. */
  exit(): RunningProcess["child"]["exit"];
  log(): string;
}

export async function startAttackedApi(): Promise<AttackedApi> {
  await using stack = new AsyncDisposableStack();
  const database = await freshDatabase();
  stack.defer(() => database.drop());
  const pool = openPool(database.url, { applicationName: "security-test" });
  stack.defer(() => pool.end());
  const logFolder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-security-"));
  stack.defer(() => fs.rmSync(logFolder, { recursive: true, force: true }));
  const running = await startIntake(database.url, logFolder);
  stack.defer(() => stopServices([running]));
  const url = `http://127.0.0.1:${running.port}`;
  const { text: operatorKey } = await createKey(pool, { kind: "operator", label: "security" });
  const owned = stack.move();
  return {
    url,
    pool,
    operator: apiClient(url, operatorKey),
    nobody: apiClient(url, ""),
    async newTenant() {
      const id = newId("cus");
      await ensureCustomer(pool, { id, name: "A tenant" });
      const { text } = await createKey(pool, { kind: "customer", customerId: id, label: "security" });
      return { id, client: apiClient(url, text) };
    },
    exit: () => running.child.exit,
    log: () => fs.readFileSync(running.child.logFile, "utf8"),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startIntake(databaseUrl: string, logFolder: string): Promise<RunningProcess> {
  const validatorSecretsFile = path.join(logFolder, "secrets.json");
  fs.writeFileSync(validatorSecretsFile, JSON.stringify({ [SECRET_NAME]: SECRET }));
  const own = { databaseUrl, queueUrl: databaseUrl, apiPort: 0, validatorSecretsFile };
  const wiring = { ...own, anthropic: { apiKey: "none" }, workers: {} };
  // How much is taken from whom has tests of its own: here everything is looked at.
  const intake = serviceProcesses({ ...wiring, extra: { LIMITS: "off" } }).find(({ name }) => name === "intake");
  if (intake === undefined) throw new Error("there is no intake among the services");
  return await startService(intake, logFolder);
}
