/**
 * A row for each operation: a request that is right in every way, about things of a tenant's, and what the tenant and the
 * operator get for it. What everybody else gets follows from the operation's access and scope (matrix.test.ts).
 */
import { EVENTS_TYPE, NDJSON_TYPE } from "@contingent/contracts/http/operation";
import { type Kind, periodOf, type Things } from "../support/things.ts";
import { DEFINITION, JOB, TYPE } from "../support/types.ts";

/** What stands in the path, in the query and in the body. */
export interface Asked {
  readonly id?: string;
  readonly name?: string;
  readonly version?: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Signed as a service's reply, when it is sent. */
  readonly isSigned?: boolean;
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
function of(kind: Kind, rest: Omit<Asked, "id"> = {}): Row["ask"] {
  return async (things) => ({ id: await things.make(kind), ...rest });
}

const nothing: Row["ask"] = () => ({});
const type: Row["ask"] = () => ({ name: TYPE });
const version: Row["ask"] = () => ({ name: TYPE, version: "1" });

const REASON = { reason: "It is so." };
const money = (things: Things): object => ({ ref: `ref-${things.next()}`, amount: "0.01" });
const BAND = { prompt_tokens_max: null, input: "0.30", output: "1.50", cache_read: null };
const PRICE = { shape: "binary", amount: "0.04" };
const RATE = {
  provider: "anthropic",
  effective_from: "2099-01-01T00:00:00Z",
  bands: [{ ...BAND, cache_write_5m: "0.375", cache_write_1h: "0.60" }],
};

const CUSTOMERS: Readonly<Record<string, Row>> = {
  createJob: { ask: () => ({ body: JOB }), own: 202 },
  bulkCreateJobs: {
    ask: () => ({ body: `${JSON.stringify(JOB)}\n`, headers: { "content-type": NDJSON_TYPE } }),
    own: 200,
  },
  listJobs: { ask: nothing, own: 200, operator: 200 },
  getJob: { ask: of("openJob"), own: 200, operator: 200 },
  watchJob: { ask: of("chargedJob", { headers: { accept: EVENTS_TYPE } }), own: 200, operator: 200 },
  cancelJob: { ask: of("openJob"), own: 200, operator: 200 },
  acceptJob: { ask: of("deliveredJob", { body: { decision: "accept" } }), own: 200, operator: 200 },
  getReceipt: { ask: of("chargedJob"), own: 200, operator: 200 },
  reverifyJob: { ask: of("chargedJob"), own: 200, operator: 200 },
  openDispute: { ask: of("chargedJob", { body: REASON }), own: 201 },
  listDisputes: { ask: nothing, own: 200, operator: 200 },
  getDispute: { ask: of("dispute"), own: 200, operator: 200 },
  withdrawDispute: { ask: of("dispute"), own: 200 },
  listCreditNotes: { ask: nothing, own: 200, operator: 200 },
  listStatements: { ask: nothing, own: 200, operator: 200 },
  getStatement: { ask: of("statement"), own: 200, operator: 200 },
  listStatementLines: { ask: of("statement"), own: 200, operator: 200 },
  getStatementCsv: { ask: of("statement"), own: 200, operator: 200 },
  getStatementPage: { ask: of("statement"), own: 200, operator: 200 },
  getCustomer: { ask: of("tenant"), own: 200, operator: 200 },
  getBalance: { ask: nothing, own: 200 },
  listGrants: { ask: of("tenant"), own: 200, operator: 200 },
  listEvents: { ask: nothing, own: 200, operator: 200 },
  createKey: { ask: () => ({ body: { label: "of a row" } }), own: 201, operator: 201 },
  listKeys: { ask: nothing, own: 200, operator: 200 },
  getKey: { ask: of("key"), own: 200, operator: 200 },
  rotateKey: { ask: of("key", { body: {} }), own: 201, operator: 201 },
  revokeKey: { ask: of("key"), own: 200, operator: 200 },
};

const OPERATORS: Readonly<Record<string, Row>> = {
  resolveDispute: { ask: of("dispute", { body: { outcome: "uphold", ...REASON } }), operator: 200 },
  createCreditNote: {
    ask: async (things) => ({ body: { job: await things.make("chargedJob"), amount: "0.01", ref: "row", ...REASON } }),
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
  getReview: { ask: of("review"), operator: 200 },
  decideReview: { ask: of("review", { body: { decision: "pass", ...REASON } }), operator: 200 },
  labelJob: { ask: of("chargedJob", { body: { correct: true, ...REASON } }), operator: 201 },
  listAudits: { ask: nothing, operator: 200 },
  getAudit: { ask: of("audit"), operator: 200 },
  decideAudit: { ask: of("audit", { body: { result: "correct", ...REASON } }), operator: 200 },
  getQuality: { ask: type, operator: 200 },
  getQualityPage: { ask: type, operator: 200 },
  listQualityAlerts: { ask: nothing, operator: 200 },
  listJudges: { ask: nothing, operator: 200 },
  reinstateJudge: { ask: of("judge", { body: REASON }), operator: 200 },
  closeStatement: { ask: of("overStatement"), operator: 200 },
  payStatement: {
    ask: async (things) => ({ id: await things.make("closedStatement"), body: money(things) }),
    operator: 200,
  },
  getSummary: { ask: nothing, operator: 200 },
  getMargin: { ask: nothing, operator: 200 },
  importRates: {
    ask: (things) => ({ body: { source: "a row", rates: [{ ...RATE, model: `model-${things.next()}` }] } }),
    operator: 201,
  },
  getPriceBook: { ask: nothing, operator: 200 },
  getAttemptCost: { ask: of("attempt"), operator: 200 },
  correctCost: { ask: of("attempt", { body: { amount: "0.001", ...REASON } }), operator: 200 },
  reconcile: {
    ask: (things) => ({ body: { provider: "anthropic", ...periodOf(things.next()), lines: [] } }),
    operator: 201,
  },
  listReconciliations: { ask: nothing, operator: 200 },
  getReconciliation: { ask: of("reconciliation"), operator: 200 },
  checkBooks: { ask: () => ({ body: { mode: "incremental" } }), operator: 200 },
  listBookChecks: { ask: nothing, operator: 200 },
  createCustomer: { ask: () => ({ body: { name: "of a row" } }), operator: 201 },
  listCustomers: { ask: nothing, operator: 200 },
  putBilling: {
    ask: of("tenant", { body: { billing: "on_account", limit: null } }),
    operator: 200,
  },
  createCustomerKey: { ask: of("tenant", { body: { label: "of a row" } }), operator: 201 },
  putRetention: { ask: of("tenant", { body: { payload_days: 90 } }), operator: 200 },
  // The tenant's texts are still needed.
  erasePayloads: { ask: of("customer"), operator: 200 },
  createTopUp: {
    ask: async (things) => ({ id: await things.make("prepaidCustomer"), body: money(things) }),
    operator: 201,
  },
  createGrant: {
    ask: async (things) => ({ id: await things.make("prepaidCustomer"), body: money(things) }),
    operator: 201,
  },
  // The same terms again would be no new ones.
  putCustomerTerms: {
    ask: async (things) => ({
      id: await things.make("tenant"),
      body: { prices: { [await things.make("newType")]: PRICE } },
    }),
    operator: 201,
  },
  listCustomerTerms: { ask: of("tenant"), operator: 200 },
  moveTestClock: { ask: of("tenant", { body: { advance_ms: 1 } }), operator: 200 },
  listDeadLetters: { ask: nothing, operator: 200 },
  getDeadLetter: { ask: of("deadJob"), operator: 200 },
  redriveDeadLetter: { ask: of("deadJob"), operator: 201 },
  redriveDeadLetters: { ask: () => ({ body: {} }), operator: 200 },
  dismissDeadLetter: { ask: of("deadJob", { body: REASON }), operator: 200 },
  listProviderModels: { ask: nothing, operator: 200 },
  putBreaker: {
    ask: () => ({ name: "anthropic", body: { model: "claude-haiku-5-5", state: "automatic", ...REASON } }),
    operator: 200,
  },
};

const EVERYBODYS: Readonly<Record<string, Row>> = {
  getReceiptKeys: { ask: nothing, anybody: 200 },
  // Its caller is known by a signature.
  replyToInquiry: { ask: of("inquiry", { body: { decision: "pass" }, isSigned: true }), anybody: 200 },
  getHealth: { ask: nothing, anybody: 200 },
  getReadiness: { ask: nothing, anybody: 200 },
};

export const ROWS: Readonly<Record<string, Row>> = { ...CUSTOMERS, ...OPERATORS, ...EVERYBODYS };
