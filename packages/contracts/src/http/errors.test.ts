import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { renderErrorReference } from "./error-reference.ts";
import { ERROR_CODES, ERRORS } from "./errors.ts";

test("docs/errors.md says what the list says", async () => {
  const written = await readFile(new URL("../../../../docs/errors.md", import.meta.url), "utf8");
  expect(written, "run: node packages/contracts/src/http/error-reference-main.ts").toBe(renderErrorReference());
});

test.each(ERROR_CODES.map((code) => [code] as const))("%s has a status and says what to do", (code) => {
  const { status, meaning, remedy } = ERRORS[code];
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(600);
  expect(meaning).toMatch(/\.$/);
  expect(remedy).toMatch(/\.$/);
  expect(renderErrorReference()).toContain(`## ${code}\n`);
});
