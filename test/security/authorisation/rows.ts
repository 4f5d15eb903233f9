/**
 * A row for each operation: a request that is right in every way, about things of a tenant's, and what the tenant and the
 * operator get for it. What everybody else gets follows from the operation's access and scope (matrix.test.ts).
 */
import { EVENTS_TYPE, NDJSON_TYPE } from "@contingent/contracts/http/operation";
import { newId } from "@contingent/db/ids";
import { DEFINITION, JOB, type Things, TYPE } from "../support/things.ts";

/** What stands in the path, in the query and in the body. */
export interface Asked {
  readonly id?: string;
  readonly name?: string;
  readonly version?: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Row {
  readonly ask: (things: Things) => Promise<Asked> | Asked;
  /** The status that the tenant gets; where customers have no access there is none. */
  readonly own?: number;
  readonly operator?: number;
  /** Of what needs no key. */
  readonly anybody?: number;
}

/** One thing after the other, for the path. */
function of(thing: (things: Things) => Promise<string>, rest: Omit<Asked, "id"> = {}): Row["ask"] {
  return async (things) => ({ id: await thing(things), ...rest });
}

const nothing: Row["ask"] = () => ({});
const customer: Row["ask"] = ({ tenant }) => ({ id: tenant.id });
const type: Row["ask"] = () => ({ name: TYPE });
const version: Row["ask"] = () => ({ name: TYPE, version: "1" });
/** Things that the operator alone has to do with; that there are none of this id is told after the key was looked at. */
function unknown(id: string, rest: Omit<Asked, "id"> = {}): Row["ask"] {
  return () => ({ id, ...rest });
}

const openJob = (things: Things): Promise<string> => things.openJob();
const deliveredJob = (things: Things): Promise<string> => things.deliveredJob();
const chargedJob = (things: Things): Promise<string> => things.chargedJob();
const dispute = (things: Things): Promise<string> => things.dispute();
const statement = (things: Things): Promise<string> => things.statement();
const attempt = (things: Things): Promise<string> => things.attempt();
const key = (things: Things): Promise<string> => things.key();

const REASON = { reason: "It is so." };
const MONEY = (): object => ({ ref: newId("req"), amount: "1.00" });
const BAND = { prompt_tokens_max: null, input: "0.30", output: "1.50", cache_read: null };
const PRICE = { shape: "binary", amount: "0.04" };
const RATE = {
  provider: "anthropic",
  effective_from: "2099-01-01T00:00:00Z",
  bands: [{ ...BAND, cache_write_5m: "0.375", cache_write_1h: "0.60" }],
};

const DAY_MS = 86_400_000;
let periods = 0;

/** No day is reconciled twice. */
function nextPeriod(): object {
  periods += 1;
  const [from, until] = [periods, periods + 1].map((day) => new Date(day * DAY_MS).toISOString().slice(0, 10));
  return { from, until };
}

const CUSTOMERS: Readonly<Record<string, Row>> = {
  createJob: { ask: () => ({ body: JOB }), own: 202 },
  bulkCreateJobs: {
    ask: () => ({ body: `${JSON.stringify(JOB)}\n`, headers: { "content-type": NDJSON_TYPE } }),
    own: 200,
  },
  listJobs: { ask: nothing, own: 200, operator: 200 },
  getJob: { ask: of(openJob), own: 200, operator: 200 },
  watchJob: { ask: of(chargedJob, { headers: { accept: EVENTS_TYPE } }), own: 200, operator: 200 },
  cancelJob: { ask: of(openJob), own: 200, operator: 200 },
  acceptJob: { ask: of(deliveredJob, { body: { decision: "accept" } }), own: 200, operator: 200 },
  getReceipt: { ask: of(chargedJob), own: 200, operator: 200 },
  reverifyJob: { ask: of(chargedJob), own: 200, operator: 200 },
  openDispute: { ask: of(chargedJob, { body: REASON }), own: 201 },
  listDisputes: { ask: nothing, own: 200, operator: 200 },
  getDispute: { ask: of(dispute), own: 200, operator: 200 },
  withdrawDispute: { ask: of(dispute), own: 200 },
  listCreditNotes: { ask: nothing, own: 200, operator: 200 },
  listStatements: { ask: nothing, own: 200, operator: 200 },
  getStatement: { ask: of(statement), own: 200, operator: 200 },
  listStatementLines: { ask: of(statement), own: 200, operator: 200 },
  getStatementCsv: { ask: of(statement), own: 200, operator: 200 },
  getStatementPage: { ask: of(statement), own: 200, operator: 200 },
  getCustomer: { ask: customer, own: 200, operator: 200 },
  getBalance: { ask: nothing, own: 200 },
  listGrants: { ask: customer, own: 200, operator: 200 },
  listEvents: { ask: nothing, own: 200, operator: 200 },
  createKey: { ask: () => ({ body: { label: "of a row" } }), own: 201, operator: 201 },
  listKeys: { ask: nothing, own: 200, operator: 200 },
  getKey: { ask: of(key), own: 200, operator: 200 },
  rotateKey: { ask: of(key, { body: {} }), own: 201, operator: 201 },
  revokeKey: { ask: of(key), own: 200, operator: 200 },
};

const OPERATORS: Readonly<Record<string, Row>> = {
  resolveDispute: { ask: of(dispute, { body: { outcome: "uphold", ...REASON } }), operator: 200 },
  createCreditNote: {
    ask: async (things) => ({ body: { job: await things.chargedJob(), amount: "0.01", ref: "row", ...REASON } }),
    operator: 201,
  },
  putOutcomeType: { ask: () => ({ name: TYPE, body: DEFINITION }), operator: 200 },
  tryOutcomeType: { ask: () => ({ name: TYPE, body: { input: JOB.input, output: { total: "1" } } }), operator: 200 },
  listOutcomeTypes: { ask: nothing, operator: 200 },
  getOutcomeType: { ask: type, operator: 200 },
  listOutcomeTypeVersions: { ask: type, operator: 200 },
  getOutcomeTypeVersion: { ask: version, operator: 200 },
  getPriceRecommendation: { ask: version, operator: 200 },
  listReviews: { ask: nothing, operator: 200 },
  getReview: { ask: unknown("inq_none"), operator: 404 },
  decideReview: { ask: unknown("inq_none", { body: { decision: "pass", ...REASON } }), operator: 404 },
  labelJob: { ask: of(chargedJob, { body: { correct: true, ...REASON } }), operator: 201 },
  listAudits: { ask: nothing, operator: 200 },
  getAudit: { ask: unknown("aud_none"), operator: 404 },
  decideAudit: { ask: unknown("aud_none", { body: { result: "correct", ...REASON } }), operator: 404 },
  getQuality: { ask: type, operator: 200 },
  getQualityPage: { ask: type, operator: 200 },
  listQualityAlerts: { ask: nothing, operator: 200 },
  listJudges: { ask: nothing, operator: 200 },
  reinstateJudge: { ask: unknown("jdg_none", { body: REASON }), operator: 404 },
  closeStatement: { ask: of(statement), operator: 409 },
  payStatement: { ask: async (things) => ({ id: await things.statement(), body: MONEY() }), operator: 409 },
  getSummary: { ask: nothing, operator: 200 },
  getMargin: { ask: nothing, operator: 200 },
  importRates: { ask: () => ({ body: { source: "a row", rates: [{ ...RATE, model: newId("req") }] } }), operator: 201 },
  getPriceBook: { ask: nothing, operator: 200 },
  getAttemptCost: { ask: of(attempt), operator: 200 },
  correctCost: { ask: of(attempt, { body: { amount: "0.001", ...REASON } }), operator: 200 },
  reconcile: { ask: () => ({ body: { provider: "anthropic", ...nextPeriod(), lines: [] } }), operator: 201 },
  listReconciliations: { ask: nothing, operator: 200 },
  getReconciliation: { ask: unknown("rcn_none"), operator: 404 },
  checkBooks: { ask: () => ({ body: { mode: "incremental" } }), operator: 200 },
  listBookChecks: { ask: nothing, operator: 200 },
  createCustomer: { ask: () => ({ body: { name: "of a row" } }), operator: 201 },
  listCustomers: { ask: nothing, operator: 200 },
  putBilling: {
    ask: ({ tenant }) => ({ id: tenant.id, body: { billing: "on_account", limit: null } }),
    operator: 200,
  },
  createCustomerKey: { ask: ({ tenant }) => ({ id: tenant.id, body: { label: "of a row" } }), operator: 201 },
  putRetention: { ask: ({ tenant }) => ({ id: tenant.id, body: { payload_days: 90 } }), operator: 200 },
  // The tenant's texts are still needed.
  erasePayloads: { ask: unknown("cus_none"), operator: 404 },
  createTopUp: { ask: ({ tenant }) => ({ id: tenant.id, body: MONEY() }), operator: 409 },
  createGrant: { ask: ({ tenant }) => ({ id: tenant.id, body: MONEY() }), operator: 409 },
  // The same terms again would be no new ones.
  putCustomerTerms: {
    ask: async (things) => ({ id: things.tenant.id, body: { prices: { [await things.newType()]: PRICE } } }),
    operator: 201,
  },
  listCustomerTerms: { ask: customer, operator: 200 },
  moveTestClock: { ask: ({ tenant }) => ({ id: tenant.id, body: { advance_ms: 1 } }), operator: 200 },
  listDeadLetters: { ask: nothing, operator: 200 },
  getDeadLetter: { ask: of(openJob), operator: 404 },
  redriveDeadLetter: { ask: of(openJob), operator: 404 },
  redriveDeadLetters: { ask: () => ({ body: {} }), operator: 200 },
  dismissDeadLetter: { ask: of(openJob, { body: REASON }), operator: 404 },
  listProviderModels: { ask: nothing, operator: 200 },
  putBreaker: {
    ask: () => ({ name: "anthropic", body: { model: "claude-haiku-5-5", state: "automatic", ...REASON } }),
    operator: 200,
  },
};

const EVERYBODYS: Readonly<Record<string, Row>> = {
  getReceiptKeys: { ask: nothing, anybody: 200 },
  // Its caller is known by a signature.
  replyToInquiry: { ask: unknown("inq_none", { body: { decision: "pass" } }), anybody: 401 },
  getHealth: { ask: nothing, anybody: 200 },
  getReadiness: { ask: nothing, anybody: 200 },
};

export const ROWS: Readonly<Record<string, Row>> = { ...CUSTOMERS, ...OPERATORS, ...EVERYBODYS };
