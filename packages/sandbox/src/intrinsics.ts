/** Whether the language itself is still as it was: what a check changes there, every later one would live with. */

/** One property as it was, by identity. */
interface Kept {
  readonly value: unknown;
  readonly get: unknown;
  readonly set: unknown;
}

type Kind = ReadonlyMap<string | symbol, Kept>;

/** Reads what is compared before anything can replace it. */
const { getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;

/** Remembers the language as it is now. The function that it returns says whether it has changed since. */
export function watchIntrinsics(): () => boolean {
  const objects = intrinsicObjects();
  const prototypes = objects.map((object) => getPrototypeOf(object));
  const kinds = objects.map(kindOf);
  const globals = ownKeys(globalThis).length;
  return () =>
    ownKeys(globalThis).length !== globals ||
    objects.some((object, i) => getPrototypeOf(object) !== prototypes[i] || !isSame(object, kinds[i]));
}

function isSame(object: object, kind: Kind | undefined): boolean {
  const keys = ownKeys(object);
  if (kind === undefined || keys.length !== kind.size) return false;
  for (const key of keys) {
    const was = kind.get(key);
    const is: Partial<Kept> | undefined = getOwnPropertyDescriptor(object, key);
    if (was === undefined || is === undefined) return false;
    if (!Object.is(is.value, was.value) || is.get !== was.get || is.set !== was.set) return false;
  }
  return true;
}

function kindOf(object: object): Kind {
  return new Map(
    ownKeys(object).map((key) => {
      const is: Partial<Kept> = getOwnPropertyDescriptor(object, key) ?? {};
      return [key, { value: is.value, get: is.get, set: is.set }];
    }),
  );
}

/** The objects of the language that are reachable from its global names, with the prototypes behind them. */
function intrinsicObjects(): readonly object[] {
  const found = new Set<object>();
  const add = (value: unknown): void => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || found.has(value)) return;
    found.add(value);
    add(getPrototypeOf(value));
    if (typeof value === "function" && "prototype" in value) add(value.prototype);
  };
  for (const name of LANGUAGE) {
    const value: unknown = getOwnPropertyDescriptor(globalThis, name)?.value;
    add(value);
  }
  const iterators = [[][Symbol.iterator](), new Map().entries(), new Set().values(), ""[Symbol.iterator]()];
  for (const instance of [...iterators, "".matchAll(/x/g), function* () {}, async function* () {}, async () => {}])
    add(instance);
  // What was only needed to get at its prototype may change as it likes.
  return [...found].filter((object) => !iterators.includes(object as (typeof iterators)[number]));
}

const LANGUAGE = (
  "Object Function Array Number String Boolean Symbol BigInt Date RegExp Promise Proxy Reflect Math JSON Map Set WeakMap " +
  "WeakSet WeakRef FinalizationRegistry Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError " +
  "URIError ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array " +
  "BigInt64Array BigUint64Array Float32Array Float64Array Iterator Intl WebAssembly Buffer TextDecoder TextEncoder URL " +
  "parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI encodeURIComponent eval globalThis " +
  "setTimeout clearTimeout setImmediate queueMicrotask structuredClone process"
).split(" ");
