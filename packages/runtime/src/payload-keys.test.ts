import { randomBytes } from "node:crypto";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { readPayloadKeys } from "./payload-keys.ts";

const jwk = (kid: string) => ({ kty: "oct", kid, k: randomBytes(32).toString("base64url") });
/** Nothing is sealed yet. */
const none = () => Promise.resolve([]);
const KEYS = { keys: [jwk("2026-11"), jwk("2026-05")] };

test("the keys come in the order in which they stand: the first one seals", async () => {
  const keys = await readPayloadKeys({ PAYLOAD_KEYS: JSON.stringify(KEYS) }, none);
  expect(keys.map(({ kid }) => kid)).toEqual(["2026-11", "2026-05"]);
  expect(keys.map(({ key }) => Buffer.from(key).toString("base64url"))).toEqual(KEYS.keys.map(({ k }) => k));
});

test("they may stand in a file", async () => {
  await using folder = await mkdtempDisposable(path.join(tmpdir(), "payload-keys-"));
  const file = path.join(folder.path, "keys.json");
  await writeFile(file, JSON.stringify(KEYS), { mode: 0o600 });
  expect(await readPayloadKeys({ PAYLOAD_KEYS_FILE: file }, none)).toHaveLength(2);
});

test("without any, texts are stored as they are", async () => {
  expect(await readPayloadKeys({}, none)).toEqual([]);
});

test.each([
  ["no JSON", "secret-of-ours"],
  ["no keys", JSON.stringify({ keys: [] })],
  ["a key that is too short", JSON.stringify({ keys: [{ ...jwk("short"), k: "secret-of-ours" }] })],
  ["a key of another kind", JSON.stringify({ keys: [{ ...jwk("other"), kty: "RSA" }] })],
  ["two keys of one name", JSON.stringify({ keys: [jwk("same"), jwk("same")] })],
])("%s is refused, and no key is repeated", async (_, text) => {
  const refusal = await readPayloadKeys({ PAYLOAD_KEYS: text }, none).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: "config_invalid" });
  expect(String(refusal)).toMatch(/PAYLOAD_KEYS/);
  expect(String(refusal)).not.toContain("secret-of-ours");
});

test("both at once are refused, and a file that is not there", async () => {
  await expect(readPayloadKeys({ PAYLOAD_KEYS: "{}", PAYLOAD_KEYS_FILE: "/x" }, none)).rejects.toThrow("both set");
  await expect(readPayloadKeys({ PAYLOAD_KEYS_FILE: "/nowhere" }, none)).rejects.toThrow("cannot be read");
});

test("without a key that texts are sealed with nothing starts, and the names are told", async () => {
  const sealed = (keys: readonly { readonly kid: string }[]) =>
    Promise.resolve(["2025-11", "2026-05"].filter((name) => !keys.some(({ kid }) => kid === name)));
  await expect(readPayloadKeys({}, sealed)).rejects.toMatchObject({ code: "config_invalid", exitCode: 78 });
  await expect(readPayloadKeys({}, sealed)).rejects.toThrow('PAYLOAD_KEYS lacks "2025-11", "2026-05"');
  const some = readPayloadKeys({ PAYLOAD_KEYS: JSON.stringify(KEYS) }, sealed);
  await expect(some).rejects.toThrow('PAYLOAD_KEYS lacks "2025-11", which');
  const away = () => Promise.reject(new Error("ECONNREFUSED"));
  await expect(readPayloadKeys({}, away)).rejects.toMatchObject({ code: "database_unavailable", exitCode: 75 });
});
