/** Signed requests to services of others: Standard Webhooks, to public addresses only, no redirects, a bounded answer. */
import { type Reach, urlProblem } from "./addresses.ts";
import type { AgentSettings, Guarded } from "./guarded-agent.ts";
import { type SigningSecret, signatureHeaders } from "./standard-webhooks.ts";

/** One request. A repeated one has the same id, so that its receiver can tell. */
export interface SignedRequest {
  readonly url: string;
  readonly id: string;
  /** JSON. */
  readonly body: string;
  readonly secrets: readonly SigningSecret[];
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export type PostAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  /** `message` says what happened in words of ours: nothing of the answer, no address. */
  | { readonly kind: "failed"; readonly message: string };

export interface Poster {
  /** Sends it, once. Never rejects. */
  post(request: SignedRequest): Promise<PostAnswer>;
  close(): Promise<void>;
}

/** Bytes of an answer that are read. */
const RESPONSE_BYTES_MAX = 65_536;

export function openPoster(settings: Reach & Pick<AgentSettings, "resolve">): Poster {
  let opened: Promise<Guarded> | null = null;
  // Loaded by the first request: most deployments make none, and it is a hundred modules.
  const guarded = (): Promise<Guarded> =>
    (opened ??= import("./guarded-agent.ts").then(({ openGuarded }) =>
      openGuarded({ responseBytesMax: RESPONSE_BYTES_MAX, ...settings }),
    ));
  return {
    async post(given) {
      // The address was checked when it was written down; rules and configurations change.
      const problem = urlProblem(given.url, settings);
      if (problem !== null) return { kind: "failed", message: `the address ${problem}` };
      try {
        return await send(given, await guarded());
      } catch (error) {
        return { kind: "failed", message: reasonOf(error, given.signal) };
      }
    },
    close: async () => await (await opened)?.close(),
  };
}

async function send({ url, id, body, secrets, signal }: SignedRequest, guarded: Guarded): Promise<PostAnswer> {
  const answer = await guarded.request(url, {
    method: "POST",
    signal,
    body,
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      "user-agent": "contingent",
      ...signatureHeaders(secrets, { id, timestampS: Math.floor(Date.now() / 1_000), body }),
    },
  });
  return { kind: "answered", status: answer.statusCode, body: await answer.body.text() };
}

const REASONS: Readonly<Record<string, string>> = {
  ADDRESS_REFUSED: "there is no public address behind the name",
  ENOTFOUND: "the name is not known",
  EAI_AGAIN: "the name cannot be looked up now",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  UND_ERR_SOCKET: "the connection ended before the answer",
  UND_ERR_CONNECT_TIMEOUT: "the connection took too long",
  UND_ERR_RES_EXCEEDED_MAX_SIZE: `the answer has more than ${RESPONSE_BYTES_MAX} bytes`,
};

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "there was no answer in time";
  const code = typeof error === "object" && error !== null ? String(Reflect.get(error, "code") ?? "") : "";
  const known = REASONS[code];
  if (known !== undefined) return known;
  return /^(?:ERR_(?:TLS|SSL)|CERT_|DEPTH_ZERO|UNABLE_|SELF_SIGNED)/.test(code)
    ? "its certificate is not valid"
    : "the request failed";
}
