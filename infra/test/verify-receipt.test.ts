/** The script that verifies receipts offline, as its user runs it; it shares no code with what issues them. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { canonicalJson, type Json, type JsonObject } from "@contingent/core/json";
import { ROOT } from "@contingent/embedded/services";
import fc from "fast-check";
import { calculateJwkThumbprint, CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const SCRIPT = path.join(ROOT, "infra/receipt/verify-receipt.mjs");
const GENUINE = 0;
const NOT_GENUINE = 1;
const UNREADABLE = 2;
const OTHER_TEXT = 3;

const INPUT: Json = { document: "Invoice 1", pages: [1, 2.5e-7], "€": { b: null, a: "\u20ac\ud83d\ude00" } };
const OUTPUT: Json = { total: "1.00" };

function hashOf(value: Json): string {
  return `sha256:${createHash("sha256").update(canonicalJson(value)).digest("hex")}`;
}

const PAYLOAD: JsonObject = {
  iss: "https://api.example.com",
  sub: "job_01",
  jti: "rcp_01",
  iat: 1_764_000_000,
  customer: "cus_01",
  outcome_type: { name: "data-extraction", version: 3, hash: "sha256:aa" },
  outcome_key: "invoice-1",
  input_sha256: hashOf(INPUT),
  output_sha256: hashOf(OUTPUT),
  verdict: {
    id: "vrd_01",
    decision: "pass",
    score: 0.95,
    value: null,
    evidence_hash: "sha256:bb",
    validators: ["json_schema@1", "grounded@1"],
  },
  price: { shape: "binary", terms: { amount: "0.04" }, customer_terms: null },
  amount: "0.04",
  currency: "USD",
  charged_at: "2026-11-24T09:30:00.123Z",
  ledger_transaction: "txn_01",
};

interface Key {
  readonly private: CryptoKey;
  readonly public: JWK & { readonly kid: string };
}

async function newKey(): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { private: privateKey, public: { ...jwk, kid: await calculateJwkThumbprint(jwk), use: "sig", alg: "EdDSA" } };
}

let folder = "";
let key: Key;
let otherKey: Key;
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-verify-"));
  [key, otherKey] = [await newKey(), await newKey()];
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

async function receipt(payload: Json = PAYLOAD, header: object = {}, signer = key): Promise<string> {
  const protectedHeader = { alg: "EdDSA", kid: signer.public.kid, typ: "contingent-receipt+jwt", ...header };
  const bytes = new TextEncoder().encode(canonicalJson(payload));
  return await new CompactSign(bytes).setProtectedHeader(protectedHeader).sign(signer.private);
}

let files = 0;
function file(content: unknown): string {
  const name = path.join(folder, `${(files += 1)}.json`);
  fs.writeFileSync(name, typeof content === "string" ? content : JSON.stringify(content));
  return name;
}

interface Answer {
  readonly code: number | null;
  readonly text: string;
}

function run(args: readonly string[], stdin = ""): Answer {
  // In an empty folder: nothing of this repository is there to be used.
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
    cwd: folder,
    encoding: "utf8",
    input: stdin,
  });
  return { code: status, text: `${stdout}${stderr}` };
}

function verify(jws: string, more: readonly string[] = [], keys: readonly JWK[] = [key.public]): Answer {
  return run([file(jws), "--keys", file({ keys }), ...more]);
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The receipt with one of its three parts changed. */
function withPart(jws: string, index: number, change: (part: string) => string): string {
  return jws
    .split(".")
    .map((part, at) => (at === index ? change(part) : part))
    .join(".");
}

describe("a genuine receipt", () => {
  test("is told in words, with whether input and output are those", async () => {
    const { code, text } = verify(await receipt(), ["--input", file(INPUT), "--output", file(OUTPUT)]);
    expect(code).toBe(GENUINE);
    expect(text).toMatch(/^Genuine: signed with the key \S+\.\n/);
    for (const said of [
      "job_01 of the customer cus_01",
      "data-extraction, version 3 (sha256:aa)",
      "pass, score 0.95 (vrd_01)",
      "json_schema@1, grounded@1",
      'binary {"amount":"0.04"}, list price',
      "0.04 USD at 2026-11-24T09:30:00.123Z",
      `${hashOf(INPUT)}, which is `,
      `${hashOf(OUTPUT)}, which is `,
    ]) {
      expect(text).toContain(said);
    }
  });

  test("is genuine without the texts that it speaks of", async () => {
    const { code, text } = verify(await receipt());
    expect(code).toBe(GENUINE);
    expect(text).toContain("not compared: no --input");
  });

  test("is read out of the API's whole answer too, and from a pipe", async () => {
    const answer = JSON.stringify({
      object: "receipt",
      job: "job_01",
      jws: await receipt(),
      payload: { amount: "9.99" },
    });
    const { code, text } = run(["-", "--keys", file({ keys: [key.public] })], answer);
    expect(code).toBe(GENUINE);
    expect(text).toContain("0.04 USD");
    expect(text).not.toContain("9.99");
  });

  test("stays genuine when another key signs by now", async () => {
    expect(verify(await receipt(), [], [otherKey.public, key.public]).code).toBe(GENUINE);
    expect(verify(await receipt(PAYLOAD, {}, otherKey), [], [otherKey.public, key.public]).code).toBe(GENUINE);
  });

  test("fits its input however that is written: order of keys, spaces, spelling of numbers", async () => {
    const spelled =
      '{ "€": {"a": "€\\ud83d\\ude00", "b": null}, "pages": [1.0, 0.00000025],\n "document": "Invoice\\u0020\\u0031"}';
    expect(verify(await receipt(), ["--input", file(spelled)]).code).toBe(GENUINE);
  });

  test("fits any input there can be: both implementations of RFC 8785 agree", async () => {
    const values = fc.sample(fc.jsonValue({ stringUnit: "grapheme", maxDepth: 4 }), 500);
    const numbers = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 2_000);
    const input = JSON.parse(JSON.stringify({ values, numbers, ["__proto__"]: 1, "10": 1, "9": 2 })) as Json;
    const jws = await receipt({ ...PAYLOAD, input_sha256: hashOf(input) });
    expect(verify(jws, ["--input", file(input)])).toMatchObject({ code: GENUINE });
  });

  test("cannot make the terminal do something", async () => {
    const { text } = verify(await receipt({ ...PAYLOAD, outcome_key: "\u001b[2J\u202e\u009b1A" }));
    for (const character of ["\u001b", "\u202e", "\u009b"]) expect(text).not.toContain(character);
  });
});

describe("genuine, but for something else", () => {
  test.each(["input", "output"])("another %s", async (name) => {
    const { code, text } = verify(await receipt(), [`--${name}`, file({ document: "Invoice 2" })]);
    expect(code).toBe(OTHER_TEXT);
    expect(text).toContain("Genuine:");
    expect(text).toContain(`a receipt for another ${name} than the one given`);
  });
});

describe("not genuine", () => {
  test("a payload that was changed", async () => {
    const forged = base64url({ ...PAYLOAD, amount: "0.01" });
    const { code, text } = verify(withPart(await receipt(), 1, () => forged));
    expect(code).toBe(NOT_GENUINE);
    expect(text).toMatch(/^NOT GENUINE\. The signature does not fit/);
  });

  test("a header that was changed", async () => {
    const header = { alg: "EdDSA", kid: key.public.kid, typ: "contingent-receipt+jwt", more: 1 };
    expect(verify(withPart(await receipt(), 0, () => base64url(header))).code).toBe(NOT_GENUINE);
  });

  test("a signature with one bit changed, cut off, or written in another way", async () => {
    const jws = await receipt();
    const flip = (part: string): string => {
      const bytes = Buffer.from(part, "base64url");
      bytes[7] = (bytes[7] ?? 0) ^ 1;
      return bytes.toString("base64url");
    };
    for (const change of [flip, (part: string) => part.slice(0, 40), (part: string) => `${part}==`, () => ""]) {
      expect(verify(withPart(jws, 2, change)).code).toBe(NOT_GENUINE);
    }
  });

  test.each(["none", "None", "NONE"])("alg %s, with or without a signature", async (alg) => {
    const header = base64url({ alg, kid: key.public.kid, typ: "contingent-receipt+jwt" });
    const [, body = "", tail = ""] = (await receipt()).split(".");
    for (const jws of [`${header}.${body}.`, `${header}.${body}.${tail}`]) {
      const { code, text } = verify(jws);
      expect(code).toBe(NOT_GENUINE);
      expect(text).toContain("not signed at all");
    }
  });

  test("alg HS256, signed with the public key as if it were a secret", async () => {
    const secret = Buffer.from(key.public.x ?? "", "base64url");
    const header = { alg: "HS256", kid: key.public.kid, typ: "contingent-receipt+jwt" };
    const jws = await new CompactSign(new TextEncoder().encode(canonicalJson(PAYLOAD)))
      .setProtectedHeader(header)
      .sign(secret);
    const { code, text } = verify(jws);
    expect(code).toBe(NOT_GENUINE);
    expect(text).toContain('alg "HS256"');
  });

  test("a key that is not among those given: it says where to get them", async () => {
    const { code, text } = verify(await receipt(PAYLOAD, {}, otherKey));
    expect(code).toBe(NOT_GENUINE);
    expect(text).toContain(otherKey.public.kid);
    expect(text).toContain("/.well-known/jwks.json");
  });

  test("a signature by another key under this one's name", async () => {
    const { code } = verify(await receipt(PAYLOAD, { kid: key.public.kid }, otherKey));
    expect(code).toBe(NOT_GENUINE);
  });

  test("a key set in which another key goes by this one's name", async () => {
    const forged = await receipt(PAYLOAD, { kid: key.public.kid }, otherKey);
    const { code, text } = verify(forged, [], [{ ...otherKey.public, kid: key.public.kid }]);
    expect(code).toBe(NOT_GENUINE);
    expect(text).toContain("The key set is not right");
  });

  test("another kind of token by the same key", async () => {
    expect(verify(await receipt(PAYLOAD, { typ: "JWT" })).text).toContain('not a receipt (typ "JWT")');
    expect(verify(await receipt({ hello: "world" })).text).toContain("does not say what a receipt says");
  });

  test.each(["", "a.b", "a.b.c.d", "….….…"])("what is no JWS: %j", (text) => {
    expect(verify(text).code).toBe(NOT_GENUINE);
  });
});

describe("what cannot be answered is not taken for an answer", () => {
  test("a command line that is not understood", async () => {
    const jws = file(await receipt());
    const keys = file({ keys: [key.public] });
    for (const args of [[], [jws], ["--keys", keys], [jws, jws, "--keys", keys], [jws, "--keys", keys, "--force"]]) {
      expect(run(args)).toMatchObject({ code: UNREADABLE, text: expect.stringContaining("Usage:") as string });
    }
  });

  test("files that are not there or hold something else", async () => {
    const jws = file(await receipt());
    const keys = file({ keys: [key.public] });
    for (const [args, said] of [
      [["nowhere.jws", "--keys", keys], "nowhere.jws cannot be read (ENOENT)"],
      [[jws, "--keys", "nowhere.json"], "nowhere.json cannot be read"],
      [[jws, "--keys", jws], "is not JSON"],
      [[jws, "--keys", file([])], "is not a JWK set"],
      [[file({ error: {} }), "--keys", keys], 'has no "jws"'],
      [[jws, "--keys", keys, "--input", file("Invoice 1")], "is not JSON"],
      [[jws, "--keys", keys, "--input", file('{"a": 1e999}')], "no canonical form"],
      [[jws, "--keys", keys, "--input", file(String.raw`["\ud83d"]`)], "half of a surrogate pair"],
    ] as const) {
      expect(run(args)).toMatchObject({ code: UNREADABLE, text: expect.stringContaining(said) as string });
    }
  });
});
