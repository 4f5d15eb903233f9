import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createLog } from "@contingent/runtime/log";
import { calculateJwkThumbprint, compactVerify, importJWK, type JWK } from "jose";
import { describe, expect, test } from "vitest";
import { openReceiptKeys, type ReceiptKeySettings } from "./keys.ts";

const lines: string[] = [];
const log = createLog({
  service: "intake",
  instance: "test",
  level: "info",
  destination: { write: (line: string) => void lines.push(line) },
});

/** As the documentation says to make one. */
function newKey(): JWK {
  return generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
}

const [first, second] = [newKey(), newKey()];
const SET = JSON.stringify({ keys: [first, second] });

function open(settings: Partial<ReceiptKeySettings>): ReturnType<typeof openReceiptKeys> {
  return openReceiptKeys({ CONTINGENT_ENV: "production", ...settings }, log);
}

test("the first key signs, all are published, under their thumbprints and without their private halves", async () => {
  const keys = await open({ RECEIPT_KEYS: SET });
  const kids = await Promise.all([first, second].map((key) => calculateJwkThumbprint(key)));
  expect(keys.published.map(({ kid }) => kid)).toEqual(kids);
  expect(JSON.stringify([keys.published, keys.signer])).not.toMatch(/"d"/);
  const jws = await keys.sign(new TextEncoder().encode("{}"), "t");
  const { protectedHeader } = await compactVerify(jws, await importJWK({ ...keys.signer }, "EdDSA"));
  expect(protectedHeader).toEqual({ alg: "EdDSA", kid: kids[0], typ: "t" });
});

test("a file is as good as a variable", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "contingent-keys-"));
  try {
    const file = path.join(folder, "keys.json");
    await writeFile(file, SET);
    expect((await open({ RECEIPT_KEYS_FILE: file })).published).toEqual((await open({ RECEIPT_KEYS: SET })).published);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("in development a missing key is made up, and the log says so", async () => {
  const keys = await open({ CONTINGENT_ENV: "development" });
  expect(keys.published).toEqual([keys.signer]);
  expect(lines.join()).toContain("set RECEIPT_KEYS");
});

describe("a process does not start", () => {
  const { d: _, ...publicOnly } = first;
  test.each<[string, Partial<ReceiptKeySettings>, RegExp]>([
    ["in production without keys", {}, /^RECEIPT_KEYS is not set/],
    ["with both a variable and a file", { RECEIPT_KEYS: SET, RECEIPT_KEYS_FILE: "/x" }, /both set/],
    ["with a file that is not there", { RECEIPT_KEYS_FILE: "/nowhere/keys.json" }, /cannot be read \(ENOENT\)/],
    ["with text that is no JSON", { RECEIPT_KEYS: `${SET}}` }, /^RECEIPT_KEYS is not JSON/],
    ["with a single key instead of a set", { RECEIPT_KEYS: JSON.stringify(first) }, /look at keys/],
    ["with an empty set", { RECEIPT_KEYS: '{"keys":[]}' }, /look at keys/],
    ["with a public key", { RECEIPT_KEYS: JSON.stringify({ keys: [first, publicOnly] }) }, /look at keys\.1\.d/],
    [
      "with a key of another kind",
      { RECEIPT_KEYS: JSON.stringify({ keys: [{ ...first, crv: "X25519" }] }) },
      /look at keys\.0\.crv/,
    ],
    [
      "with halves of different keys",
      { RECEIPT_KEYS: JSON.stringify({ keys: [second, { ...first, x: second.x }] }) },
      /not halves of the same key|cannot be used/,
    ],
  ])("%s", async (_, settings, message) => {
    const error: unknown = await open(settings).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "config_invalid",
      exitCode: 78,
      message: expect.stringMatching(message) as string,
    });
    // What is logged at the start must not be a key.
    expect(String(error)).not.toContain(first.d);
  });
});
