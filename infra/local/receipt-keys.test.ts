import { createPrivateKey } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { receiptKeysFile } from "./receipt-keys.ts";

let folder = "";
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-receipt-keys-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

test("a data folder gets one key, which its owner alone can read and which stays", () => {
  const file = receiptKeysFile(folder);
  const written = fs.readFileSync(file, "utf8");
  const { keys } = JSON.parse(written) as { keys: [Record<string, string>] };
  expect(createPrivateKey({ key: keys[0], format: "jwk" }).asymmetricKeyType).toBe("ed25519");
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  expect(receiptKeysFile(folder)).toBe(file);
  expect(fs.readFileSync(file, "utf8")).toBe(written);
});
