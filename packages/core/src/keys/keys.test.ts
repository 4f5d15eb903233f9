import { describe, expect, test } from "vitest";
import { endOfReplaced, isLastKeeper, KEEPER_LIFE_MIN_MS, type Key, LIVE_KEYS_MAX, whyNotMake } from "./keys.ts";

const NOW_MS = 1_000_000;

function key(change: Partial<Key> = {}): Key {
  return { id: "key_one", kind: "operator", scopes: ["*"], expiresAtMs: null, revokedAtMs: null, ...change };
}

const FEW = { nowMs: NOW_MS, liveKeys: 1 };

describe("a key makes another one", () => {
  test.each([
    ["as strong and as long", key(), { scopes: ["*"], expiresAtMs: null }],
    ["that ends with it", key({ expiresAtMs: NOW_MS + 5 }), { scopes: ["*"], expiresAtMs: NOW_MS + 5 }],
    ["that is weaker and shorter", key(), { scopes: ["jobs:read"], expiresAtMs: NOW_MS + 1 }],
  ] as const)("%s", (_, maker, asked) => {
    expect(whyNotMake(maker, asked, FEW)).toBeNull();
  });

  test.each([
    ["when it has expired", key({ expiresAtMs: NOW_MS }), {}, "maker_ended"],
    ["when it was revoked", key({ revokedAtMs: 1 }), {}, "maker_ended"],
    ["that is stronger", key({ scopes: ["jobs:read"] }), { scopes: ["*"] }, "gives_more"],
    ["that never ends", key({ expiresAtMs: NOW_MS + 5 }), { expiresAtMs: null }, "outlives"],
    ["that ends later", key({ expiresAtMs: NOW_MS + 5 }), { expiresAtMs: NOW_MS + 6 }, "outlives"],
    ["that has ended", key(), { expiresAtMs: NOW_MS }, "over_already"],
  ] as const)("but not %s", (_, maker, asked, kind) => {
    const whole = { scopes: ["jobs:read"], expiresAtMs: maker.expiresAtMs, ...asked } as const;
    expect(whyNotMake(maker, whole, FEW)).toMatchObject({ kind });
  });

  test("unless its owner has many already", () => {
    const asked = { scopes: ["*"], expiresAtMs: null } as const;
    expect(whyNotMake(key(), asked, { nowMs: NOW_MS, liveKeys: LIVE_KEYS_MAX - 1 })).toBeNull();
    expect(whyNotMake(key(), asked, { nowMs: NOW_MS, liveKeys: LIVE_KEYS_MAX })).toEqual({ kind: "too_many" });
  });
});

test("a replaced key ends after the overlap, and never later than it would have", () => {
  expect(endOfReplaced(key(), NOW_MS, 10)).toBe(NOW_MS + 10);
  expect(endOfReplaced(key({ expiresAtMs: NOW_MS + 5 }), NOW_MS, 10)).toBe(NOW_MS + 5);
});

describe("the last key that may do everything stays", () => {
  const other = (change: Partial<Key> = {}): Key => key({ id: "key_two", ...change });
  test.each([
    ["alone", key(), [], true],
    ["beside one that may do less", key(), [other({ scopes: ["keys:write"] })], true],
    ["beside a customer's", key(), [other({ kind: "customer" })], true],
    ["beside one that was revoked", key(), [other({ revokedAtMs: 1 })], true],
    ["beside one that ends soon", key(), [other({ expiresAtMs: NOW_MS + KEEPER_LIFE_MIN_MS })], true],
    ["not beside one that lasts", key(), [other({ expiresAtMs: NOW_MS + KEEPER_LIFE_MIN_MS + 1 })], false],
    ["not when it may do less", key({ scopes: ["jobs:read"] }), [], false],
    ["not when it is a customer's", key({ kind: "customer" }), [], false],
    ["not when it has ended", key({ revokedAtMs: 1 }), [], false],
  ] as const)("%s", (_, one, others, stays) => {
    expect(isLastKeeper(one, [one, ...others], NOW_MS)).toBe(stays);
  });
});
