/**
 * A service of the operator's own, as the samples need one: it knows which vendors may be paid, and judges invoices by it.
 * The system asks it over a socket, signed, as it would ask any `http` validator.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import path from "node:path";
import { isSigned, signingSecret, type SigningSecret } from "@contingent/runtime/outgoing/standard-webhooks";
import { z } from "zod";

/** The name under which outcome types speak of the secret. */
export const REGISTER_SECRET = "vendor-register";
const HOST = "127.0.0.1";
/** As the sample outcome type has it; another one where it is taken, which makes another version of the type. */
const PORT = 4081;
const BODY_BYTES_MAX = 4_194_304;

/** Vendors by their names as they stand on invoices, upper case. */
const REGISTERED: ReadonlySet<string> = new Set([
  "RAVENSWORTH JOINERY LTD",
  "SALTMARSH INSTRUMENTS GMBH",
  "OAKFIELD PRINT & BIND LTD",
]);

const inquirySchema = z.object({ output: z.object({ seller: z.string().nullable() }) });

/** @returns the file with the secret that requests are signed with: made once per data folder, and only its owner's */
export function validatorSecretsFile(dataFolder: string): string {
  const file = path.join(dataFolder, "validator-secrets.json");
  if (fs.existsSync(file)) return file;
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  fs.writeFileSync(file, `${JSON.stringify({ [REGISTER_SECRET]: secret }, null, 2)}\n`, { mode: 0o600 });
  return file;
}

export interface VendorRegister extends AsyncDisposable {
  readonly url: string;
  /** How often it has judged. */
  asked(): number;
}

/** Starts it with the secret of the data folder. Disposing of it ends it. */
export async function startVendorRegister(dataFolder: string): Promise<VendorRegister> {
  const secrets = secretsIn(validatorSecretsFile(dataFolder));
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    void answer(request, response, secrets);
  });
  const port = await listen(server, PORT).catch(() => listen(server, 0));
  return {
    url: `http://${HOST}:${port}/vendors/check`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function secretsIn(file: string): readonly SigningSecret[] {
  const kept = z.record(z.string(), z.string()).parse(JSON.parse(fs.readFileSync(file, "utf8")));
  const secret = signingSecret(kept[REGISTER_SECRET] ?? "");
  return secret === null ? [] : [secret];
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // Whoever starts it ends when everything else is done, and does not wait for this.
  server.unref();
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return address.port;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  secrets: readonly SigningSecret[],
): Promise<void> {
  const reply = (status: number, body: object): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  try {
    const body = await bodyOf(request);
    const header = (name: string): string | undefined => request.headers[name]?.toString();
    const signature = {
      "webhook-id": header("webhook-id"),
      "webhook-timestamp": header("webhook-timestamp"),
      "webhook-signature": header("webhook-signature"),
    };
    if (!isSigned(secrets, signature, body, Date.now() / 1000)) return reply(401, { error: "The signature is wrong." });
    const { seller } = inquirySchema.parse(JSON.parse(body)).output;
    if (seller !== null && REGISTERED.has(seller.toUpperCase())) return reply(200, { decision: "pass" });
    const finding = { path: "/seller", code: "unknown_vendor", message: "This vendor is not in the register." };
    reply(200, { decision: "fail", findings: [finding] });
  } catch {
    // No judgement on what could not be read: the system asks again.
    reply(400, { error: "This is no inquiry about an invoice." });
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Buffer)) throw new Error("the request is no stream of bytes");
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error("the request is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
