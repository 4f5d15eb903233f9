import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { reachOf, readSecrets } from "./settings.ts";

const settings = { CONTINGENT_ENV: "development", OUTGOING_ALLOW_LOOPBACK: "false" } as const;
const secret = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "contingent-secrets-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function secretsIn(content: string) {
  const path = join(folder, "secrets.json");
  await writeFile(path, content);
  return await readSecrets({ ...settings, HTTP_VALIDATOR_SECRETS_FILE: path });
}

test("secrets have names, and may be several while one is being replaced", async () => {
  const secrets = await secretsIn(JSON.stringify({ checks: secret, "new-checks": [secret, secret] }));
  expect([...secrets].map(([name, keys]) => [name, keys.length])).toEqual([
    ["checks", 1],
    ["new-checks", 2],
  ]);
  expect((await readSecrets(settings)).size).toBe(0);
});

test.each(["", "[]", '{"a b":"whsec_x"}', '{"checks":5}', `{"checks":"${secret.slice(6)}"}`, '{"checks":[]}'])(
  "a file with %j is refused, and nothing of it is repeated",
  async (content) => {
    await expect(secretsIn(content)).rejects.toMatchObject({ code: "config_invalid" });
    await expect(secretsIn(content)).rejects.not.toThrow(secret.slice(6));
  },
);

test("a file that is not there is refused", async () => {
  const path = join(folder, "none.json");
  await expect(readSecrets({ ...settings, HTTP_VALIDATOR_SECRETS_FILE: path })).rejects.toThrow("cannot be read");
});

test("this machine is reached in development only, and only if that is asked for", () => {
  expect(reachOf(settings)).toEqual({ allowsLoopback: false });
  expect(reachOf({ ...settings, OUTGOING_ALLOW_LOOPBACK: "true" })).toEqual({ allowsLoopback: true });
  expect(() => reachOf({ CONTINGENT_ENV: "production", OUTGOING_ALLOW_LOOPBACK: "true" })).toThrow("production");
});
