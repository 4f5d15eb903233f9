/**
 * How a child is started: with nothing of ours in its environment, and with every restriction that this system offers
 * without installing anything. docs/decisions/0019 says what holds where.
 */
import { execFile } from "node:child_process";
import path from "node:path";
import { type Limits, CPU_TOTAL_MS_MAX } from "./bounds.ts";
import { usageIsKnown } from "./usage.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
/** All that a child may read: its code. Not the workspace's root, where data, keys and `.env` files lie. */
const READABLE = ["core", "contracts", "validators", "sandbox"]
  .map((name) => path.join(ROOT, "packages", name))
  .concat(path.join(ROOT, "node_modules"));

/** What this system offers beyond Node's own restrictions. */
export interface Isolation {
  /** A network namespace with nothing in it. */
  readonly ownNetwork: boolean;
  /** The kernel kills the child when its parent dies, even when it computes and notices nothing. */
  readonly diesWithParent: boolean;
  /** Memory and processor time of the child are watched, and the kernel has a limit of its own behind that. */
  readonly watched: boolean;
  /** What stands before Node on the command line. */
  readonly prefix: readonly string[];
}

/**
 * A user namespace gives the right to a network namespace, and takes every capability from whoever is root. It is not to
 * be had in containers as they are usually started: there the container itself is without a network.
 */
const OWN_NETWORK = ["unshare", "--user", "--net", "--ipc"];
const DIES_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--no-new-privs"];

let known: Promise<Isolation> | null = null;

/** Found out once per process, by trying. */
export function isolation(): Promise<Isolation> {
  return (known ??= findOut());
}

async function findOut(): Promise<Isolation> {
  const [ownNetwork, diesWithParent] = await Promise.all([works(OWN_NETWORK), works(DIES_WITH_PARENT)]);
  return {
    ownNetwork,
    diesWithParent,
    watched: usageIsKnown(),
    prefix: [...(ownNetwork ? OWN_NETWORK : []), ...(diesWithParent ? DIES_WITH_PARENT : [])],
  };
}

function works([command = "", ...rest]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(command, [...rest, "true"], { env: {}, timeout: 5_000 }, (error) => resolve(error === null));
  });
}

const MIB = 1024 * 1024;
/**
 * For parsers that recurse: an answer must not be able to end its process by nesting. More than twice what code_syntax
 * needs at its bounds; macOS allows half of it, which is enough. Each of a child's threads reserves as much, and takes what it uses.
 */
const STACK_BYTES = 128 * MIB;
/** Of that, what V8 lets JavaScript and WebAssembly have: the interpreter of code_tests recurses with what it interprets. */
const V8_STACK_BYTES = 15 * MIB;
/** What a child at rest may write to, most of it never touched: 1,250 MB where it was measured, in 11 threads. */
const DATA_AT_REST_BYTES_MAX = 2048 * MIB;

/** The command line that runs `entry` with these limits. */
export function commandFor(entry: string, limits: Limits, { prefix, watched }: Isolation): readonly string[] {
  // Where memory is watched, the watch must come before V8's own limit: that one ends the process without saying why.
  const heapBytes = watched ? limits.rssBytes * 2 : limits.rssBytes;
  const node = [
    process.execPath,
    "--permission",
    // The parser of code_syntax is an addon. It is ours; what it parses is not code to it.
    "--allow-addons",
    // There is nowhere to write one to.
    "--no-warnings",
    // V8 would compile WebAssembly anew while it runs: for one function of the SQL parser it takes 550 MB, more than a check
    // may have. Without that it takes 130 MB in all; SQL is read as fast, and code by the grammars half as fast.
    "--liftoff-only",
    ...READABLE.map((folder) => `--allow-fs-read=${folder}`),
    `--max-old-space-size=${Math.ceil(heapBytes / MIB)}`,
    `--stack-size=${V8_STACK_BYTES / 1024}`,
    entry,
  ];
  if (process.platform === "win32") return node;
  // The shell leaves variables of its own, hence `env`. The time zone must not be the machine's.
  const bounded = [
    "ulimit -c 0",
    "ulimit -f 0",
    `ulimit -s ${STACK_BYTES / 1024} 2>/dev/null || ulimit -s "$(ulimit -H -s)"`,
    // Twice what a process is replaced after, for one that nobody replaces any more.
    `ulimit -t ${Math.ceil((2 * CPU_TOTAL_MS_MAX) / 1000)}`,
    // Counts what can be written to, so that V8's large reservations do not matter.
    ...(watched ? [`ulimit -d ${Math.ceil((DATA_AT_REST_BYTES_MAX + 2 * limits.rssBytes) / 1024)}`] : []),
  ];
  return ["/bin/sh", "-c", `${bounded.join("; ")}; exec env -i TZ=UTC "$0" "$@"`, ...prefix, ...node];
}
