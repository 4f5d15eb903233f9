/**
 * Outcome type versions by their id. A version never changes, so what was read once is kept: in a bounded map, loaded
 * many to a statement. Reads by primary key, takes no lock.
 */
import type { CustomerTermsId, OutcomeTypeVersionId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import { type CustomerTerms, priceTermsFor } from "@contingent/core/pricing/rating/customer-terms";
import { batched } from "./batch.ts";
import { customerTermsById } from "./customer-terms.ts";
import { decodeOutcomeType } from "./outcome-type-json.ts";
import type { Pool } from "./pool.ts";
import { remembering } from "./remember.ts";

export interface OutcomeTypeVersions {
  /** @throws UnknownVersionError when there is no such version */
  readonly get: (id: OutcomeTypeVersionId) => Promise<OutcomeTypeVersion>;
  /**
   * The version as a job is pinned to it: at the price of the customer's terms, where they have one.
   * @throws UnknownVersionError or UnknownTermsError when there is no such version or no such terms
   */
  readonly pinned: (id: OutcomeTypeVersionId, termsId: CustomerTermsId | null) => Promise<OutcomeTypeVersion>;
}

export class UnknownVersionError extends Error {
  override readonly name = "UnknownVersionError";
}

/** Versions kept in memory. */
const KEPT_MAX = 1_000;

const SELECT = "SELECT id, name, version, resolved FROM outcome_type_version WHERE id = ANY($1::text[])";

export interface VersionRow {
  readonly id: OutcomeTypeVersionId;
  readonly name: string;
  readonly version: number;
  readonly resolved: JsonObject;
}

/** A reader of versions that remembers what it has read. */
export function outcomeTypeVersions(pool: Pool): OutcomeTypeVersions {
  const load = batched<OutcomeTypeVersionId, OutcomeTypeVersion>({
    run: async (ids) => {
      const { rows } = await pool.query<VersionRow>({ name: "outcome-type-versions", text: SELECT, values: [ids] });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => {
        const row = byId.get(id);
        return row === undefined ? new UnknownVersionError(`there is no outcome type version ${id}`) : versionOf(row);
      });
    },
  });
  return pinnedBy(customerTermsById(pool), { get: remembering(load, KEPT_MAX) });
}

/** Versions as they were read by `versions`, at the prices of these terms: of somebody who may not see everybody's. */
export function pinnedBy(
  terms: (id: CustomerTermsId) => Promise<CustomerTerms>,
  { get }: Pick<OutcomeTypeVersions, "get">,
): OutcomeTypeVersions {
  return {
    get,
    async pinned(id, termsId) {
      const version = await get(id);
      return termsId === null ? version : atPricesOf(await terms(termsId), version);
    },
  };
}

/** The version at the price that these terms have for it, else at its list price. */
export function atPricesOf(terms: CustomerTerms, version: OutcomeTypeVersion): OutcomeTypeVersion {
  const price = priceTermsFor(terms, version.name, version.terms.price);
  return { ...version, terms: { ...version.terms, price } };
}

/** The version that a row describes. */
export function versionOf(row: VersionRow): OutcomeTypeVersion {
  return { ...decodeOutcomeType(row.resolved), id: row.id, name: row.name, version: row.version };
}
