import { expect } from "vitest";
import { FINDING_MESSAGE_CHARACTERS_MAX, FINDING_PATH_CHARACTERS_MAX, LEAF_FINDINGS_MAX } from "./bounds.ts";
import type { LeafResult } from "./validator.ts";

/** What every result of every validator is, whatever it was about: bounded, with a reason, safe to print. */
export function expectSound(result: LeafResult): void {
  expect(result.score).toBeGreaterThanOrEqual(0);
  expect(result.score).toBeLessThanOrEqual(1);
  expect(result.score === 1 || result.findings.length > 0).toBe(true);
  expect(result.findings.length).toBeLessThanOrEqual(LEAF_FINDINGS_MAX);
  for (const { path, code, message, hint = "" } of result.findings) {
    expect(path.length).toBeLessThanOrEqual(FINDING_PATH_CHARACTERS_MAX);
    expect(message.length).toBeLessThanOrEqual(FINDING_MESSAGE_CHARACTERS_MAX);
    expect(code).toMatch(/^[a-zA-Z0-9_]+$/);
    for (const text of [path, message, hint]) {
      expect(text.isWellFormed()).toBe(true);
      expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
    }
  }
}
