/** The key that signs receipts on this machine: made once per data folder and kept there, as in production it is given. */
import { generateKeyPairSync } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** @returns the file, a JWK set with one private Ed25519 key that only its owner can read */
export function receiptKeysFile(dataFolder: string): string {
  const file = path.join(dataFolder, "receipt-keys.json");
  if (fs.existsSync(file)) return file;
  const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  fs.writeFileSync(file, `${JSON.stringify({ keys: [jwk] }, null, 2)}\n`, { mode: 0o600 });
  return file;
}
