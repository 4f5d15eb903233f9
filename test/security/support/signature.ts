/** How a service of the operator's signs its replies, here and where it is attacked. */
import { signatureHeaders, signingSecret } from "@contingent/runtime/outgoing/standard-webhooks";

export const SECRET_NAME = "checks";
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** What a reply about this inquiry is known by, signed just now. */
export function signed(id: string, body: string | Uint8Array): Readonly<Record<string, string>> {
  const secret = signingSecret(SECRET);
  if (secret === null) throw new Error("the secret is none");
  return { ...signatureHeaders([secret], { id, timestampS: Math.floor(Date.now() / 1_000), body }) };
}
