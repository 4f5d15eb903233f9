import { describe, expect, test } from "vitest";
import { isSigned, signatureHeaders, signingSecret } from "./standard-webhooks.ts";

function secret(text: string) {
  const read = signingSecret(text);
  if (read === null) throw new Error("not a secret");
  return read;
}

const ours = secret(`whsec_${Buffer.alloc(32, 1).toString("base64")}`);
const theirs = secret(`whsec_${Buffer.alloc(32, 2).toString("base64")}`);
const parts = { id: "inq_1", timestampS: 1_750_000_000, body: '{"a":1}' };
const signed = signatureHeaders([ours], parts);

describe("Standard Webhooks", () => {
  // The examples of the specification and of its libraries.
  test.each([
    {
      key: "whsec_plJ3nmyCDGBKInavdOK15jsl",
      id: "msg_loFOjxBNrRLzqYUf",
      timestampS: 1_731_705_121,
      body: '{"event_type":"ping","data":{"success":true}}',
      signature: "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    },
    {
      key: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestampS: 1_614_265_330,
      body: '{"test": 2432232314}',
      signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
  ])("signs $id as others do", ({ key, signature, ...given }) => {
    // One of the examples is shorter than the specification wants secrets to be: its bytes are taken as they are.
    const example = { key: Buffer.from(key.slice("whsec_".length), "base64") };
    const headers = signatureHeaders([example], given);
    expect(headers["webhook-signature"]).toBe(signature);
    expect(isSigned([example], headers, given.body, given.timestampS)).toBe(true);
  });

  test("a request is good while one of its signatures is by one of the secrets", () => {
    const both = signatureHeaders([theirs, ours], parts);
    expect(isSigned([ours], both, parts.body, parts.timestampS)).toBe(true);
    expect(isSigned([theirs, ours], signed, parts.body, parts.timestampS)).toBe(true);
    expect(isSigned([theirs], signed, parts.body, parts.timestampS)).toBe(false);
    expect(isSigned([], signed, parts.body, parts.timestampS)).toBe(false);
  });

  test("nothing of a signed request can be changed", () => {
    const { timestampS } = parts;
    const [, mac = ""] = signed["webhook-signature"].split(",");
    expect(isSigned([ours], signed, '{"a":2}', timestampS)).toBe(false);
    for (const changed of [
      { "webhook-id": "inq_2" },
      { "webhook-timestamp": String(timestampS + 1) },
      { "webhook-timestamp": `${timestampS}.0` },
      { "webhook-timestamp": "" },
      { "webhook-signature": "" },
      { "webhook-signature": "v1," },
      { "webhook-signature": `v1a,${mac}` },
      { "webhook-signature": mac },
      { "webhook-signature": `v1,${mac.slice(0, -4)}` },
      { "webhook-id": undefined },
      { "webhook-signature": undefined },
    ])
      expect([changed, isSigned([ours], { ...signed, ...changed }, parts.body, timestampS)]).toEqual([changed, false]);
  });

  test("a request is good for five minutes", () => {
    for (const [nowS, isGood] of [
      [parts.timestampS + 300, true],
      [parts.timestampS + 301, false],
      [parts.timestampS - 300, true],
      [parts.timestampS - 301, false],
    ] as const)
      expect(isSigned([ours], signed, parts.body, nowS)).toBe(isGood);
  });

  test.each([
    "",
    "whsec_",
    "c2VjcmV0",
    "whsec_c2hvcnQ=",
    `whsec_${"A".repeat(200)}`,
    "whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
  ])("%j is no secret", (text) => {
    expect(signingSecret(text)).toBe(null);
  });
});
