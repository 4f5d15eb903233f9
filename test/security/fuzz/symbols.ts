/**
 * Things by names that are the same each time, so that what is sent follows from a seed alone. A name looks like the id of
 * such a thing; what it stands for is made when a request is about it for the first time.
 */
import { type Kind, KINDS, type MadeThings, type Things } from "../support/things.ts";
import { signed } from "../support/signature.ts";
import type { WireRequest } from "./mischief.ts";

export const OPERATORS_KEY = "symbol-of-the-operators-key";
export const TENANTS_KEY = "symbol-of-the-tenants-key";
/** Where a signature will stand. */
export const SIGNATURE = "symbol-of-a-signature";

const SYMBOL = /\b(?:[a-z]{3}_symbol([a-z]+)\d+x|symbol-newtype-\d+x)/g;
const NEW_TYPE: Kind = "newType";
const BY_LETTERS = new Map(Object.keys(KINDS).map((kind) => [kind.toLowerCase(), kind as Kind]));

/** Gives out names. */
export class Symbols implements Things {
  /** By the prefixes of ids. */
  readonly ids: Record<string, string[]> = {};
  readonly names: string[] = [];
  #count = 0;

  next(): number {
    this.#count += 1;
    return this.#count;
  }

  make(kind: Kind): Promise<string> {
    const letters = kind.toLowerCase();
    const nth = `${kind === "tenant" ? 0 : this.next()}x`;
    const symbol = kind === NEW_TYPE ? `symbol-${letters}-${nth}` : `${KINDS[kind]}_symbol${letters}${nth}`;
    if (kind === NEW_TYPE) this.names.push(symbol);
    else (this.ids[KINDS[kind]] ??= []).push(symbol);
    return Promise.resolve(symbol);
  }
}

/** The things that names stand for. */
export class World {
  readonly #things: MadeThings;
  readonly #keys: Readonly<Record<string, string>>;
  readonly #known = new Map<string, string>();

  /** @param things whose they are */
  constructor(things: MadeThings, operatorsKey: string) {
    this.#things = things;
    this.#keys = { [OPERATORS_KEY]: operatorsKey, [TENANTS_KEY]: things.tenant.client.key };
  }

  /** The request about real things, with real keys, signed now. */
  async real(request: WireRequest): Promise<WireRequest> {
    const [target, body] = [await this.told(request.target), await this.#bytes(request.body)];
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) headers[name] = await this.told(value);
    const id = /\/inquiries\/([^/?]+)/.exec(target)?.[1] ?? "";
    const isSigned = headers["webhook-signature"] === SIGNATURE;
    const signature = isSigned ? signed(id, body ?? new Uint8Array()) : {};
    return { ...request, target, body, headers: { ...headers, ...signature } };
  }

  /** Bytes as they are, whatever they mean. */
  async #bytes(body: Uint8Array | null): Promise<Uint8Array | null> {
    if (body === null) return null;
    return Buffer.from(await this.told(Buffer.from(body).toString("latin1")), "latin1");
  }

  /** The text with the things that it names. */
  async told(text: string): Promise<string> {
    for (const [symbol, letters = NEW_TYPE.toLowerCase()] of text.matchAll(SYMBOL)) await this.#meet(symbol, letters);
    const known = text.replaceAll(SYMBOL, (symbol) => this.#known.get(symbol) ?? symbol);
    return Object.entries(this.#keys).reduce((told, [symbol, key]) => told.replaceAll(symbol, key), known);
  }

  async #meet(symbol: string, letters: string): Promise<void> {
    const kind = BY_LETTERS.get(letters);
    if (this.#known.has(symbol) || kind === undefined) return;
    this.#known.set(symbol, await this.#things.make(kind));
  }
}
