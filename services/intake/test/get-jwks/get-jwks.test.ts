import { jwksSchema } from "@contingent/contracts/http/receipts";
import { take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { passingKeys } from "../../src/receipts/keys.ts";
import { expectError } from "../checked-client.ts";
import { type Api, JOB, startApiWithType, SUCCEED } from "../harness.ts";

const PATH = "/.well-known/jwks.json";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

async function keyIds(url = api.url): Promise<readonly string[]> {
  const { body } = await api.customer.at(url).send({ path: PATH });
  return jwksSchema.parse(body).keys.map(({ kid }) => kid);
}

test("200: anybody reads the keys, from anywhere, and may keep them for a while", async () => {
  const response = await fetch(`${api.url}${PATH}`);
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("public, max-age=300");
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(jwksSchema.parse(await response.json()).keys).toHaveLength(1);
});

test("a key is known before it has signed anything", async () => {
  await using other = await api.anotherProcess({ receiptKeys: await passingKeys() });
  const [own] = await keyIds();
  const theirs = await keyIds(other.url);
  expect(theirs).toHaveLength(1);
  expect(theirs).not.toContain(own);
});

test("all keys that a process is given are published, and those that signed elsewhere too, each once", async () => {
  const [next, current] = [await passingKeys(), await passingKeys()];
  const receiptKeys = { ...current, published: [...current.published, ...next.published] };
  await using other = await api.anotherProcess({ receiptKeys });
  for (const url of [api.url, other.url]) {
    const { id } = await api.customer.submit(JOB);
    await take(api.pool, id, ...SUCCEED);
    expect((await api.customer.at(url).send({ path: `/v1/jobs/${id}/receipt` })).status).toBe(200);
  }
  const [own] = (await keyIds()).filter((kid) => kid !== current.signer.kid);
  expect(await keyIds(other.url)).toEqual([current.signer.kid, next.signer.kid, own]);
});

test("no private half is ever shown", async () => {
  const { body } = await api.customer.send({ path: PATH });
  expect(JSON.stringify(body)).not.toContain('"d"');
});

test("405: they are only read", async () => {
  const answer = await api.customer.send({ method: "POST", path: PATH });
  expectError(answer, "method_not_allowed");
  expect(answer.headers.get("allow")).toBe("GET, HEAD");
});

test("503: without the database the list would not be whole, so there is none, and nobody keeps that answer", async () => {
  await api.databaseLink.cut();
  try {
    const answer = await api.customer.send({ path: PATH });
    expectError(answer, "database_unavailable");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  } finally {
    await api.databaseLink.restore();
  }
});
