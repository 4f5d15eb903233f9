// Verifies a receipt offline: one file, plain Node 18 or newer, no dependency, and nothing of the rest of this repository,
// so that whoever doubts a charge can read all of what they rely on.
//
//   node verify-receipt.mjs receipt.jws --keys jwks.json [--input input.json] [--output output.json]
//
// The receipt is the JWS or the whole answer of GET /v1/jobs/{id}/receipt; "-" reads it from standard input. The keys are
// what /.well-known/jwks.json answered; keep a copy, and get it from where you trust it. The input is the `input` that was
// sent with the job, the output the job's `output`: their hashes are held against the receipt's.
//
// Exit codes: 0 genuine, and what was given fits · 1 not proven genuine · 2 the command or a file cannot be read ·
// 3 genuine, but for another input or output.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";

const TYPE = "contingent-receipt+jwt";
const ALGORITHM = "EdDSA";
const SIGNATURE_BYTES = 64;
const USAGE =
  "Usage: node verify-receipt.mjs <receipt.jws> --keys <jwks.json> [--input <input.json>] [--output <output.json>]";

const EXIT_NOT_GENUINE = 1;
const EXIT_UNREADABLE = 2;
const EXIT_OTHER_TEXT = 3;

/** The receipt proves nothing. */
class NotGenuine extends Error {}

/** The question cannot be answered with what was given. */
class Unreadable extends Error {}

function main() {
  const { receipt, keys, input, output } = commandLine();
  const jws = jwsIn(textOf(receipt).trim(), receipt);
  const { header, payload } = verified(jws, keySetIn(keys));
  const texts = [compared("input", payload.input_sha256, input), compared("output", payload.output_sha256, output)];
  const facts = [...attested(payload), ...texts.map(({ name, line }) => [name, line])];
  const lines = [`Genuine: signed with the key ${plain(header.kid)}.`, ""];
  lines.push(...facts.map(([name, value]) => `  ${name.padEnd(12)} ${value}`));
  const others = texts.filter(({ fits }) => fits === false).map(({ name }) => name);
  if (others.length > 0) {
    lines.push("", `But it is a receipt for another ${others.join(" and ")} than the one given.`);
    process.exitCode = EXIT_OTHER_TEXT;
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

function commandLine() {
  const options = { keys: { type: "string" }, input: { type: "string" }, output: { type: "string" } };
  let parsed;
  try {
    parsed = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new Unreadable(`${error.message}\n${USAGE}`);
  }
  const { positionals, values } = parsed;
  if (positionals.length !== 1 || values.keys === undefined) throw new Unreadable(USAGE);
  return { receipt: positionals[0], ...values };
}

/** The JWS itself, or the one within the API's answer. Whatever else the answer says is not looked at. */
function jwsIn(text, file) {
  if (!text.startsWith("{")) return text;
  const { jws } = jsonOf(text, file);
  if (typeof jws !== "string") throw new Unreadable(`${file} has no "jws": it is not the answer about a receipt.`);
  return jws;
}

function keySetIn(file) {
  const set = jsonOf(textOf(file), file);
  if (!isObject(set) || !Array.isArray(set.keys) || !set.keys.every(isObject)) {
    throw new Unreadable(`${file} is not a JWK set: it has no list of "keys".`);
  }
  return set.keys;
}

/** Header and payload of a JWS, once its signature is known to be good. */
function verified(jws, keys) {
  const parts = jws.split(".");
  if (parts.length !== 3)
    throw new NotGenuine("It is not a JWS in compact form: three parts, with points between them.");
  const [head, body, tail] = parts;
  const header = objectIn(head, "header");
  if (header.alg !== ALGORITHM) {
    const none =
      String(header.alg).toLowerCase() === "none" ? "It is not signed at all" : "It is signed in another way";
    throw new NotGenuine(`${none} (alg ${quoted(header.alg)}): receipts are signed with ${ALGORITHM}.`);
  }
  if (header.typ !== TYPE) throw new NotGenuine(`It is not a receipt (typ ${quoted(header.typ)}), but something else.`);
  if (header.crit !== undefined) throw new NotGenuine("Its header has demands (crit) that receipts never have.");
  const key = publicKeyOf(header.kid, keys);
  const signature = bytesIn(tail, "signature");
  const isGood =
    signature.length === SIGNATURE_BYTES && verify(null, Buffer.from(`${head}.${body}`, "ascii"), key, signature);
  if (!isGood) throw new NotGenuine("The signature does not fit: header or payload are not what was signed.");
  return { header, payload: objectIn(body, "payload") };
}

function publicKeyOf(kid, keys) {
  if (typeof kid !== "string") throw new NotGenuine("Its header does not name the key that it was signed with.");
  const jwk = keys.find((candidate) => candidate.kid === kid);
  if (jwk === undefined) {
    throw new NotGenuine(
      `It is signed with the key ${plain(kid)}, which is not among those given. Get them anew from /.well-known/jwks.json: every key that ever signed is there.`,
    );
  }
  const { kty, crv, x } = jwk;
  if (kty !== "OKP" || crv !== "Ed25519" || typeof x !== "string") {
    throw new NotGenuine(`The key ${plain(kid)} is not an Ed25519 key.`);
  }
  const thumbprint = createHash("sha256").update(canonical({ crv, kty, x })).digest("base64url");
  if (thumbprint !== kid) {
    throw new NotGenuine(`The key set is not right: the key that it calls ${plain(kid)} is ${thumbprint}.`);
  }
  try {
    return createPublicKey({ key: { kty, crv, x }, format: "jwk" });
  } catch {
    throw new NotGenuine(`The key ${plain(kid)} is broken.`);
  }
}

/** Strict: there is one way only to write bytes, so that one receipt has one text. */
function bytesIn(part, name) {
  const bytes = Buffer.from(part, "base64url");
  if (part === "" || bytes.toString("base64url") !== part) throw new NotGenuine(`Its ${name} is not base64url.`);
  return bytes;
}

function objectIn(part, name) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesIn(part, name)));
  } catch (error) {
    if (error instanceof NotGenuine) throw error;
    throw new NotGenuine(`Its ${name} is not JSON.`);
  }
  if (!isObject(value)) throw new NotGenuine(`Its ${name} is not a JSON object.`);
  return value;
}

/** What the receipt attests, in words. */
function attested(payload) {
  const { outcome_type: type, verdict, price } = payload;
  if (![type, verdict, price].every(isObject) || !Array.isArray(verdict.validators)) {
    throw new NotGenuine("It is signed, but does not say what a receipt says.");
  }
  const terms = price.customer_terms === null ? "list price" : `customer's terms ${plain(price.customer_terms)}`;
  const value = verdict.value === null || verdict.value === undefined ? "" : `, value ${plain(verdict.value)}`;
  return [
    ["issuer", plain(payload.iss)],
    ["receipt", plain(payload.jti)],
    ["job", `${plain(payload.sub)} of the customer ${plain(payload.customer)}`],
    ["outcome", `${plain(type.name)}, version ${plain(type.version)} (${plain(type.hash)})`],
    ["outcome key", payload.outcome_key === null ? "none" : quoted(payload.outcome_key)],
    ["verdict", `${plain(verdict.decision)}, score ${plain(verdict.score)}${value} (${plain(verdict.id)})`],
    ["validators", verdict.validators.map(plain).join(", ")],
    ["evidence", plain(verdict.evidence_hash)],
    ["price", `${plain(price.shape)} ${plain(canonical(price.terms))}, ${terms}`],
    ["charged", `${plain(payload.amount)} ${plain(payload.currency)} at ${plain(payload.charged_at)}`],
    ["booked as", plain(payload.ledger_transaction)],
  ];
}

/** Whether the value in a file is the one that the receipt speaks of; `fits` is null when there is no file. */
function compared(name, attestedHash, file) {
  const hash = plain(attestedHash);
  if (file === undefined) return { name, fits: null, line: `${hash} (not compared: no --${name})` };
  const value = jsonOf(textOf(file), file);
  const own = `sha256:${createHash("sha256").update(canonicalIn(file, value)).digest("hex")}`;
  const fits = own === attestedHash;
  const line = fits ? `${hash}, which is ${basename(file)}` : `${hash}, but ${basename(file)} has ${own}`;
  return { name, fits, line };
}

function canonicalIn(file, value) {
  try {
    return canonical(value);
  } catch (error) {
    throw new Unreadable(`${file} has no canonical form: ${error.message}.`);
  }
}

/** The canonical text of a JSON value: RFC 8785. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (isObject(value)) {
    const keys = Object.keys(value);
    // Without a comparison of its own it compares UTF-16 code units, which is what the RFC asks for.
    keys.sort();
    return `{${keys.map((key) => `${canonical(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error("a number is too large");
  if (typeof value === "string" && /\p{Surrogate}/u.test(value))
    throw new Error("a text holds half of a surrogate pair");
  return JSON.stringify(value);
}

function textOf(file) {
  let bytes;
  try {
    bytes = readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw new Unreadable(`${file} cannot be read (${error.code}).`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Unreadable(`${file} is not UTF-8 text.`);
  }
}

function jsonOf(text, file) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Unreadable(`${file} is not JSON.`);
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function quoted(value) {
  return value === undefined ? "missing" : plain(JSON.stringify(value));
}

/** Without characters that would do something to the terminal. */
function plain(value) {
  return String(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

try {
  main();
} catch (error) {
  if (!(error instanceof NotGenuine) && !(error instanceof Unreadable)) throw error;
  const isFalse = error instanceof NotGenuine;
  process.stderr.write(`${isFalse ? "NOT GENUINE. " : ""}${error.message}\n`);
  process.exitCode = isFalse ? EXIT_NOT_GENUINE : EXIT_UNREADABLE;
}
