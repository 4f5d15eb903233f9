/** Hazard: a text that somebody reads, changes or moves who must not, or one that passes for something that it is not. */
import { randomBytes } from "node:crypto";
import type { Json } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { open, seal } from "./cipher.ts";
import { hashOfPayload, markDropped, markPlain, markPlainText, markSealed, readMark } from "./marker.ts";
import { foundText, opened, openedOr, PayloadDropped, PLAIN } from "./payloads.ts";

const KEY = randomBytes(32);
const TEXT = Buffer.from("Ärger mit ☃");

describe("what is sealed", () => {
  test("is read with its key in its place, and looks different each time", () => {
    const sealed = seal(KEY, "input job_a", TEXT);
    expect(open(KEY, "input job_a", sealed)).toEqual(TEXT);
    expect(seal(KEY, "input job_a", TEXT)).not.toEqual(sealed);
    expect(sealed.includes(TEXT)).toBe(false);
  });

  test("is read nowhere else and with no other key", () => {
    const sealed = seal(KEY, "input job_a", TEXT);
    expect(() => open(KEY, "input job_b", sealed)).toThrow(/authenticate/);
    expect(() => open(KEY, "metadata job_a", sealed)).toThrow(/authenticate/);
    expect(() => open(randomBytes(32), "input job_a", sealed)).toThrow(/authenticate/);
  });

  test("is not read when a single bit of it was changed, or a part cut off", () => {
    const sealed = seal(KEY, "input job_a", TEXT);
    for (const at of sealed.keys()) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => open(KEY, "input job_a", changed)).toThrow(Error);
      expect(() => open(KEY, "input job_a", sealed.subarray(0, at))).toThrow(Error);
    }
  });
});

describe("what stands in the database", () => {
  const LOOKALIKES: readonly Json[] = [
    markSealed("AAAA", "pky_01k0"),
    markDropped("5d41"),
    { $payload: { plain: 1 } },
    { $payload: null },
    { $payload: 1, beside: 2 },
    JSON.parse('{"$payload":{"__proto__":{"plain":1}}}') as Json,
  ];

  test.each(LOOKALIKES)("a customer's %j is not taken for a marker of ours", async (value) => {
    expect(await PLAIN.look("input job_a", markPlain(value))).toEqual({ kind: "kept", value });
    const text = JSON.stringify(value);
    expect(await foundText(PLAIN, "output att_a", markPlainText(text))).toEqual({ kind: "kept", value: text });
  });

  test.each<Json>([null, "", "a text", 1, false, [], [markDropped("5d41")], {}, { a: { $payload: 1 } }])(
    "%j is stored as it is",
    (value) => {
      expect(markPlain(value)).toBe(value);
      expect(readMark(value)).toEqual({ kind: "plain", value });
    },
  );

  test("a marker that nobody knows is no text", () => {
    expect(() => readMark({ $payload: { later: true } })).toThrow("nobody knows");
  });

  test("of a dropped text the hash is left, whatever the order of its keys and the spelling of its numbers", async () => {
    const hash = hashOfPayload({ b: 1.0, a: "x" });
    expect(hash).toBe(hashOfPayload(JSON.parse('{"a":"x","b":1e0}') as Json));
    expect(await PLAIN.look("input job_a", markDropped(hash))).toEqual({ kind: "dropped", sha256: hash });
    await expect(opened(PLAIN, "input job_a", markDropped(hash))).rejects.toThrow(PayloadDropped);
    expect(await openedOr<Json>(PLAIN, "input job_a", markDropped(null), "gone")).toBe("gone");
  });

  test("a sealed text is not taken for a plain one by a process without the key", async () => {
    await expect(PLAIN.look("input job_a", markSealed("AAAA", "pky_01k0"))).rejects.toThrow("PAYLOAD_KEYS is not set");
  });
});
