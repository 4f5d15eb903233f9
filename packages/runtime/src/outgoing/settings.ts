/** What services that send requests to others, or take their replies, are told by the environment. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { DEPLOYMENTS } from "../config.ts";
import { ServiceError } from "../errors.ts";
import type { Reach } from "./addresses.ts";
import { type SigningSecret, signingSecret } from "./standard-webhooks.ts";

/**
 * The secrets that requests to `http` validators are signed with, by name: a JSON object of `whsec_…` texts, or of lists of
 * them while one is being replaced. Outcome types name a secret; they never hold one.
 */
export const httpValidatorSecretsFileSetting = z.string().optional().describe('the path of {"<name>": "whsec_…"}');

/** Whether requests may go to this machine: for development and tests. */
export const outgoingAllowLoopbackSetting = z
  .enum(["true", "false"])
  .default("false")
  .describe("true in development, else false");

export interface OutgoingSettings {
  readonly CONTINGENT_ENV: (typeof DEPLOYMENTS)[number];
  readonly HTTP_VALIDATOR_SECRETS_FILE?: string | undefined;
  readonly OUTGOING_ALLOW_LOOPBACK: "true" | "false";
}

/** By name; each signs with all of its secrets, and any of them is good for a reply. */
export type Secrets = ReadonlyMap<string, readonly SigningSecret[]>;

const SECRETS_OF_A_NAME_MAX = 3;
const secretText = z.string();
const fileSchema = z.record(
  z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/),
  z.union([secretText.transform((text) => [text]), z.array(secretText).min(1).max(SECRETS_OF_A_NAME_MAX)]),
);

/** How requests to others are made: how far they may go, and what they are signed with. */
export interface Outgoing {
  readonly reach: Reach;
  readonly secrets: Secrets;
}

/** @throws ServiceError `config_invalid` */
export async function readOutgoing(settings: OutgoingSettings): Promise<Outgoing> {
  return { reach: reachOf(settings), secrets: await readSecrets(settings) };
}

/** @throws ServiceError `config_invalid`: loopback is never reached where customers are real */
export function reachOf({ CONTINGENT_ENV: deployment, OUTGOING_ALLOW_LOOPBACK: loopback }: OutgoingSettings): Reach {
  if (loopback === "true" && deployment === "production")
    throw new ServiceError("config_invalid", "OUTGOING_ALLOW_LOOPBACK must not be true in production: leave it out");
  return { allowsLoopback: loopback === "true" };
}

/**
 * Reads the secrets, once.
 * @throws ServiceError `config_invalid`, which names what is wrong and repeats no secret
 */
export async function readSecrets({ HTTP_VALIDATOR_SECRETS_FILE: path }: OutgoingSettings): Promise<Secrets> {
  if (path === undefined) return new Map();
  const refused = (problem: string): ServiceError =>
    new ServiceError("config_invalid", `HTTP_VALIDATOR_SECRETS_FILE ${problem}`);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch {
    throw refused("cannot be read as JSON");
  }
  const parsed = fileSchema.safeParse(content);
  if (!parsed.success)
    throw refused('must be an object of names (a-z, 0-9, "-", "_") with a "whsec_…" text each, or a list of up to 3');
  return new Map(
    Object.entries(parsed.data).map(([name, texts]) => {
      const secrets = texts.map((text) => signingSecret(text));
      if (secrets.includes(null)) throw refused(`has no usable secret "${name}": whsec_ and 24 to 64 bytes in base64`);
      return [name, secrets.filter((secret) => secret !== null)];
    }),
  );
}
