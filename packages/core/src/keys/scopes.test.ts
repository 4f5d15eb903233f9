import { describe, expect, test } from "vitest";
import { allows, CUSTOMER_SCOPES, OPERATOR_SCOPES, scopesBeyond } from "./scopes.ts";

describe("a key may do what its scopes say, and nothing else", () => {
  test.each(OPERATOR_SCOPES)("%s", (scope) => {
    expect(OPERATOR_SCOPES.filter((needed) => allows([scope], needed))).toEqual([scope]);
    expect(allows(["*"], scope)).toBe(true);
  });
});

describe("a key cannot give more than it has", () => {
  test.each([
    ["a part of it", ["jobs:read", "jobs:write"], ["jobs:read"], []],
    ["all of it", ["jobs:read"], ["jobs:read"], []],
    ["more than it", ["jobs:read", "keys:write"], ["jobs:read", "jobs:write"], ["jobs:write"]],
    ["everything, by whoever has every single scope", OPERATOR_SCOPES, ["*"], ["*"]],
    ["everything, by whoever may do everything", ["*"], ["*"], []],
    ["anything, by whoever may do everything", ["*"], CUSTOMER_SCOPES, []],
  ] as const)("%s", (_, holder, asked, beyond) => {
    expect(scopesBeyond(holder, asked)).toEqual(beyond);
  });
});
