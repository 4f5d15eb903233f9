import { integerSetting, serviceSettings } from "@contingent/runtime/config";
import { httpValidatorSecretsFileSetting, outgoingAllowLoopbackSetting } from "@contingent/runtime/outgoing/settings";
import { payloadKeysFileSetting, payloadKeysSetting } from "@contingent/runtime/payload-keys";
import { sandboxSocketSetting } from "@contingent/sandbox/config";
import { z } from "zod";
import {
  addressRateSetting,
  customerRateSetting,
  failuresSetting,
  keyRateSetting,
  limitsSetting,
  openJobsMaxSetting,
  trustProxySetting,
} from "./limits/settings.ts";

const OPERATOR_NAME_CHARACTERS_MAX = 200;
/** What is left of a drain is for the requests that are being answered. */
const DRAIN_DELAY_MAX_MS = 15_000;

export const intakeSettings = z.object({
  ...serviceSettings,
  PAYLOAD_KEYS: payloadKeysSetting,
  PAYLOAD_KEYS_FILE: payloadKeysFileSetting,
  /** The API's address as callers know it, for links in answers; the Host header's when unset. */
  PUBLIC_URL: z.url().optional().describe("https://api.example.com"),
  /** Who sells the outcomes, as it stands on statements. */
  OPERATOR_NAME: z
    .string()
    .min(1)
    .max(OPERATOR_NAME_CHARACTERS_MAX)
    .default("Contingent")
    .describe("Acme GmbH, Berlin"),
  /** The private keys that receipts are signed with, a JWK set: the first one signs, all are published. Required in production. */
  RECEIPT_KEYS: z.string().optional().describe('{"keys": [{"kty": "OKP", "crv": "Ed25519", …}]}'),
  /** The same in a file, instead. */
  RECEIPT_KEYS_FILE: z.string().optional().describe("the path of a JWK set"),
  SANDBOX_SOCKET: sandboxSocketSetting,
  HTTP_VALIDATOR_SECRETS_FILE: httpValidatorSecretsFileSetting,
  OUTGOING_ALLOW_LOOPBACK: outgoingAllowLoopbackSetting,
  /** How many jobs a customer may have open at once who has no limit of their own. */
  OPEN_JOBS_MAX: openJobsMaxSetting,
  /** Whether requests are counted, and jobs refused that could not be done by their deadlines. Off behind a gateway that does it. */
  LIMITS: limitsSetting,
  /** How many requests a second this process takes with one key, of one customer and from one address. */
  KEY_REQUESTS_PER_S_MAX: keyRateSetting,
  CUSTOMER_REQUESTS_PER_S_MAX: customerRateSetting,
  ADDRESS_REQUESTS_PER_S_MAX: addressRateSetting,
  /** How many wrong keys and wrong signatures an address may send before it is not listened to for the rest of a minute. */
  FAILURES_PER_MIN_MAX: failuresSetting,
  /**
   * How long requests are still taken once the process is told to stop and says that it is not ready: until load balancers
   * have noticed. A connection that is just being made when nobody listens any more is reset.
   */
  DRAIN_DELAY_MS: integerSetting(0, DRAIN_DELAY_MAX_MS)
    .default(0)
    .describe("0 to 15000; longer than a load balancer's probes are apart"),
  /** The proxies in front, which tell a client's address; else all clients behind one are counted as one address. */
  TRUST_PROXY: trustProxySetting,
});
