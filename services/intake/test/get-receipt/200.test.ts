import { createHash } from "node:crypto";
import { type ReceiptBody, receiptSchema } from "@contingent/contracts/http/receipts";
import type { JobId } from "@contingent/core/ids";
import { nanos, ZERO } from "@contingent/core/money";
import type { CustomerTerms } from "@contingent/core/pricing/rating/customer-terms";
import { publishTerms } from "@contingent/db/customer-terms";
import { answer, happens, judge, take } from "@contingent/testkit/jobs";
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { passingKeys } from "../../src/receipts/keys.ts";
import type { CheckedClient } from "../checked-client.ts";
import { type Api, claim, DEFINITION, JOB, startApiWithType, SUCCEED } from "../harness.ts";

const LIST_TERMS: CustomerTerms = {
  prices: {},
  outcomeTypes: {},
  discountShare: 0,
  discountFixed: ZERO,
  commitmentMinimum: ZERO,
};

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

async function chargedJob(job: object = JOB): Promise<JobId> {
  const { id } = await api.customer.submit({ ...JOB, ...job });
  await take(api.pool, id, ...SUCCEED);
  return id;
}

async function receipt(id: JobId, client: CheckedClient = api.customer): Promise<ReceiptBody> {
  const { status, body } = await client.send({ path: `/v1/jobs/${id}/receipt` });
  expect(status).toBe(200);
  return receiptSchema.parse(body);
}

async function keySet(client = api.customer): Promise<JSONWebKeySet> {
  return (await client.send({ path: "/.well-known/jwks.json" })).body as JSONWebKeySet;
}

/** What the receipt says, by its signature. */
async function verified(jws: string, keys: JSONWebKeySet): Promise<unknown> {
  const { payload } = await compactVerify(jws, createLocalJWKSet(keys), { algorithms: ["EdDSA"] });
  return JSON.parse(new TextDecoder().decode(payload));
}

const sha256 = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

describe("a charge's receipt", () => {
  test("says by a verifiable signature what was charged, for what, and why", async () => {
    const id = await chargedJob({ outcome_key: "invoice-1" });
    const { jws, payload, job } = await receipt(id);
    expect(job).toBe(id);
    expect(await verified(jws, await keySet())).toEqual(payload);
    const { rows } = await api.pool.query({
      text: `SELECT c.verdict_id, v.score, x.id AS txn, t.hash, extract(epoch FROM c.at)::float8 AS at
               FROM charge c JOIN verdict v ON v.id = c.verdict_id JOIN ledger_transaction x ON x.key = 'charge:' || c.job_id
               JOIN job j ON j.id = c.job_id JOIN outcome_type_version t ON t.id = j.outcome_type_version_id
              WHERE c.job_id = $1`,
      values: [id],
    });
    const [stored] = rows as [{ verdict_id: string; score: number; txn: string; hash: string; at: number }];
    expect(payload).toEqual({
      iss: "contingent",
      sub: id,
      jti: id.replace("job_", "rcp_"),
      iat: Math.floor(stored.at),
      customer: api.customerId,
      outcome_type: { name: JOB.outcome_type, version: 1, hash: `sha256:${stored.hash}` },
      outcome_key: "invoice-1",
      input_sha256: sha256('{"document":"Invoice 1"}'),
      output_sha256: sha256('{"answer":42}'),
      verdict: {
        id: stored.verdict_id,
        decision: "pass",
        score: stored.score,
        value: null,
        evidence_hash: "sha256:0",
        validators: ["fixture@1"],
      },
      price: { shape: "binary", terms: { amount: "0.04" }, customer_terms: null },
      amount: "0.04",
      currency: "USD",
      charged_at: new Date(stored.at * 1000).toISOString(),
      ledger_transaction: stored.txn,
    });
  });

  test("its header names the algorithm, the key and what it is, and nothing else", async () => {
    const { jws } = await receipt(await chargedJob());
    const header: unknown = JSON.parse(Buffer.from(jws.split(".")[0] ?? "", "base64url").toString());
    const [key] = (await keySet()).keys;
    expect(header).toEqual({ alg: "EdDSA", kid: key?.kid, typ: "contingent-receipt+jwt" });
  });

  test("holds neither input nor output, in the clear or encoded", async () => {
    const id = await chargedJob({ input: { document: "Very secret", note: "also secret" } });
    const body = await receipt(id);
    const decoded = body.jws.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1"));
    for (const text of [JSON.stringify(body), ...decoded]) expect(text).not.toMatch(/secret|answer/);
  });

  test("hashes the input in its canonical form: the order of its keys does not matter", async () => {
    const one = await receipt(await chargedJob({ input: { document: "Invoice 9", note: "n" } }));
    const other = await receipt(await chargedJob({ input: { note: "n", document: "Invoice 9" } }));
    expect(one.payload.input_sha256).toBe(sha256('{"document":"Invoice 9","note":"n"}'));
    expect(other.payload.input_sha256).toBe(one.payload.input_sha256);
  });

  test("states the terms by which the amount follows from the score", async () => {
    await api.operator.publish("tiered", {
      ...DEFINITION,
      partial_at: 0.5,
      price: { shape: "tiered", amount: "0.04", bands: [{ from_score: 0.5, fraction: 0.5 }] },
      attempts_max: 1,
    });
    const { id } = await api.customer.submit({ ...JOB, outcome_type: "tiered" });
    await take(api.pool, id, claim(), answer(), judge("partial", 0.6), happens("settled"));
    expect((await receipt(id)).payload).toMatchObject({
      price: { shape: "tiered", terms: { amount: "0.04", bands: [{ from_score: 0.5, fraction: 0.5 }] } },
      verdict: { decision: "partial", score: 0.6 },
      amount: "0.02",
    });
  });

  test("names the customer's own terms where they held, with their price, and keeps to them", async () => {
    const definition = { prices: "own" };
    const price = { shape: "binary", amount: nanos(30_000_000n) } as const;
    const terms = { ...LIST_TERMS, prices: { [JOB.outcome_type]: price } };
    const published = await publishTerms(api.pool, api.customerId, { definition, terms, effectiveFromMs: null });
    const id = await chargedJob();
    expect(published).toMatchObject({ kind: "published" });
    const later = { definition: {}, terms: LIST_TERMS, effectiveFromMs: null };
    await publishTerms(api.pool, api.customerId, later);
    expect((await receipt(id)).payload).toMatchObject({
      price: {
        terms: { amount: "0.03" },
        customer_terms: published.kind === "published" ? published.terms.id : "none",
      },
      amount: "0.03",
    });
  });

  test("is the operator's to see as well", async () => {
    const id = await chargedJob();
    expect(await receipt(id, api.operator)).toEqual(await receipt(id));
  });
});

describe("the same receipt for ever", () => {
  test("whoever asks first, however many at once and at whichever process: one text", async () => {
    const id = await chargedJob();
    await using other = await api.anotherProcess({ receiptKeys: await passingKeys() });
    const clients = Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0 ? api.customer : api.customer.at(other.url),
    );
    const receipts = await Promise.all(clients.map((client) => receipt(id, client)));
    expect(new Set(receipts.map(({ jws }) => jws)).size).toBe(1);
    const [first] = receipts;
    for (const client of [api.customer, api.customer.at(other.url)]) {
      expect(await verified(first?.jws ?? "", await keySet(client))).toEqual(first?.payload);
    }
  });

  test("a receipt that an old key signed is still verified after another one has taken over", async () => {
    const [before, after] = [await chargedJob(), await chargedJob()];
    const old = await receipt(before);
    // The old key is not even among those that the new process is given.
    await using rotated = await api.anotherProcess({ receiptKeys: await passingKeys() });
    const client = api.customer.at(rotated.url);
    expect(await receipt(before, client)).toEqual(old);
    const fresh = await receipt(after, client);
    const kidOf = (jws: string): unknown => JSON.parse(Buffer.from(jws.split(".")[0] ?? "", "base64url").toString());
    expect(kidOf(fresh.jws)).not.toEqual(kidOf(old.jws));
    for (const keys of [await keySet(client), await keySet()]) {
      expect(await verified(old.jws, keys)).toEqual(old.payload);
      expect(await verified(fresh.jws, keys)).toEqual(fresh.payload);
    }
  });

  test("neither receipts nor keys can be changed or removed", async () => {
    await receipt(await chargedJob());
    for (const statement of [
      "UPDATE receipt SET jws = 'forged'",
      "DELETE FROM receipt",
      "TRUNCATE receipt",
      "UPDATE receipt_key SET first_used_at = now()",
      "DELETE FROM receipt_key",
      "TRUNCATE receipt_key CASCADE",
    ]) {
      await expect(api.pool.query(statement)).rejects.toMatchObject({ code: "23001" });
    }
  });

  test("the database keeps no private key", async () => {
    const insert = `INSERT INTO receipt_key (kid, public_jwk) VALUES ('k', '{"kid": "k", "d": "secret"}')`;
    await expect(api.pool.query(insert)).rejects.toMatchObject({ code: "23514" });
  });
});
