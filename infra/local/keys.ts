/** Development keys: made once per data folder, kept there, and printed, so that a newcomer can call the API at once. */
import fs from "node:fs";
import path from "node:path";
import type { CustomerId } from "@contingent/core/ids";
import { ensureCustomer } from "@contingent/db/customers";
import { createKey, isThisKey, keyFinder, keyIdOf } from "@contingent/db/keys";
import type { Pool } from "@contingent/db/pool";

export interface DevelopmentKeys {
  /** May submit jobs and read its own. */
  readonly customer: string;
  /** May publish outcome types and see cost and margin. */
  readonly operator: string;
}

const CUSTOMER: { readonly id: CustomerId; readonly name: string } = { id: "cus_development", name: "Development" };

/** The keys of this data folder; made anew when the database does not know them. */
export async function developmentKeys(pool: Pool, dataFolder: string): Promise<DevelopmentKeys> {
  const file = path.join(dataFolder, "keys.json");
  const kept = read(file);
  if (kept !== null && (await isKnown(pool, kept.customer)) && (await isKnown(pool, kept.operator))) return kept;
  await ensureCustomer(pool, CUSTOMER);
  const customer = await createKey(pool, {
    kind: "customer",
    customerId: CUSTOMER.id,
    label: "development",
    mode: "test",
  });
  const operator = await createKey(pool, { kind: "operator", label: "development", mode: "test" });
  const keys = { customer: customer.text, operator: operator.text };
  fs.writeFileSync(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  return keys;
}

function read(file: string): DevelopmentKeys | null {
  try {
    const kept: unknown = JSON.parse(fs.readFileSync(file, "utf8"));
    return isKeys(kept) ? kept : null;
  } catch {
    return null;
  }
}

function isKeys(value: unknown): value is DevelopmentKeys {
  if (typeof value !== "object" || value === null || !("customer" in value) || !("operator" in value)) return false;
  return typeof value.customer === "string" && typeof value.operator === "string";
}

async function isKnown(pool: Pool, text: string): Promise<boolean> {
  const id = keyIdOf(text);
  const stored = id === null ? null : await keyFinder(pool)(id);
  return stored !== null && stored.active && isThisKey(text, stored);
}
