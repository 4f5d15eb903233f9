import { existsSync } from "node:fs";
import path from "node:path";
import type { RegisteredCheck } from "@contingent/validators/validator";
import { afterAll, describe, expect, test, vi } from "vitest";
import { type Limits, LIMITS, PROCESSES_DEFAULT, SPARES } from "./bounds.ts";
import { Child } from "./child.ts";
import { isolation } from "./launch.ts";
import { outcomeOf } from "./limits.ts";
import { Pool, type PoolOptions } from "./pool.ts";
import { decodeReply, encodeRequest, type Outcome } from "./wire.ts";

const entry = path.join(import.meta.dirname, "hostile-child.fixture.ts");
const limits: Limits = { cpuMs: 1_000, wallMs: 55_000, rssBytes: 256 * 1024 * 1024 };
const { ownNetwork, watched } = await isolation();

function poolOf(options: PoolOptions = {}): Pool {
  return new Pool({ entry, limits, ...options });
}

/** A check of the hostile child's, by its name. */
function act(name: string): Buffer {
  const validator = { name, version: 1 } as RegisteredCheck;
  const subject = { input: null, output: null, outputSchema: {} };
  return encodeRequest(validator, subject, {}) ?? Buffer.alloc(0);
}

/** What the child said it had done. */
async function said(pool: Pool, name: string): Promise<string> {
  return textOf(await pool.run(act(name)));
}

function textOf(outcome: Outcome): string {
  if (outcome.kind === "broke") return `broke: ${outcome.message}`;
  const [first] = outcome.result.findings;
  return first?.code === "said" ? first.message : (first?.code ?? "passed");
}

// What takes 0.3 s on an idle machine takes 10 on one where everybody runs their tests.
vi.setConfig({ testTimeout: 60_000 });

const shared = poolOf();
afterAll(() => shared.close());

describe("limits", () => {
  test("a loop without end ends as a failed check", async () => {
    const pool = poolOf({ limits: { ...limits, cpuMs: 250 } });
    expect(await said(pool, "loop")).toBe("limits_exceeded");
    await pool.close();
  });

  test.runIf(watched).each(["fill the heap", "fill buffers", "grow WebAssembly"])(
    "%s without end: a failed check, by the memory, before any time is over",
    async (name) => {
      // More than there is by the clock, at whose end there would be no verdict: only the memory can fail it.
      const pool = poolOf({ processes: 1, limits: { ...limits, cpuMs: 2 * limits.wallMs } });
      expect(await said(pool, name)).toBe("limits_exceeded");
      await pool.close();
    },
  );

  test("which limit it was changes no word: which one breaks first may depend on the machine", () => {
    const words = "Checking the answer took more than 5 s of computing or 512 MB of memory.";
    expect(outcomeOf("exceeded", LIMITS)).toMatchObject({ result: { findings: [{ message: words }] } });
  });

  test("whoever waits for nothing has not failed: the machine may be too slow, and the check is made again", async () => {
    const pool = poolOf({ limits: { ...limits, wallMs: 200 } });
    expect(await said(pool, "wait for nothing")).toContain(watched ? "broke: the check had too little" : "limits");
    await pool.close();
  });

  test("an answer that is too large to hand over is a finding, and no process sees it", async () => {
    const outcome = await shared.run(Buffer.alloc(16 * 1024 * 1024 + 1));
    expect(outcome).toMatchObject({ kind: "result", result: { score: 0, findings: [{ code: "limits_exceeded" }] } });
  });

  test.each(["crash", "throw what nobody foresaw", "answer without end", "answer with nonsense"])(
    "%s: tried once more in another process, then no verdict",
    async (name) => {
      expect(await said(shared, name)).toBe("broke: the check broke its process, twice");
      expect(await said(shared, "pass")).toBe("passed");
    },
  );

  test("a check that is not known there is no verdict", async () => {
    expect(await said(shared, "unheard of")).toBe("broke: there is no unheard of@1 in the sandbox");
  });
});

describe("nobody waits behind a stuck check", () => {
  test("other checks go on while as many as there are processes are stuck", async () => {
    const pool = poolOf({ limits: LIMITS });
    expect(await said(pool, "pass")).toBe("passed");
    const stuck = [pool.run(act("loop")), pool.run(act("loop"))];
    let ended = 0;
    for (const each of stuck) void each.then(() => (ended += 1));
    for (let i = 0; i < 20; i++) expect(await said(pool, "pass")).toBe("passed");
    expect(ended).toBe(0);
    await pool.close();
  });

  test("who floods the processes keeps those of other types waiting for one check, not for all", async () => {
    const pool = poolOf({ processes: 1, limits: { ...limits, cpuMs: 250 } });
    let ended = 0;
    for (let i = 0; i < 10; i++) void pool.run(act("loop")).then(() => (ended += 1));
    expect(await said(pool, "pass")).toBe("passed");
    expect(ended).toBeLessThanOrEqual(2);
    await pool.close();
  });

  test("a check of another kind finds a process ready, however many of one kind are stuck", async () => {
    const pool = poolOf({ limits: { ...limits, cpuMs: 250 } });
    pool.warm();
    await vi.waitUntil(() => pool.pids.length === PROCESSES_DEFAULT + SPARES, { timeout: 30_000 });
    const ready = pool.pids.map(String);
    for (let i = 0; i < 10; i++) void pool.run(act("loop"));
    expect(ready).toContain(await said(pool, "pid"));
    await pool.close();
  });

  test("one process makes one check at a time, and is used again", async () => {
    const pool = poolOf({ processes: 1 });
    const pids = await Promise.all(Array.from({ length: 20 }, () => said(pool, "pid")));
    // One of them and the spare one: neither was replaced.
    expect(pool.pids.map(String)).toEqual(expect.arrayContaining([...new Set(pids)]));
    await pool.close();
  });
});

describe("nothing of a check remains", () => {
  test.each(["pollute Object.prototype", "replace a method", "leave a global"])(
    "%s: no verdict, and the process is disposed of",
    async (name) => {
      const before = shared.pids;
      expect(await said(shared, name)).toBe("broke: the check broke its process, twice");
      expect(shared.pids.filter((pid) => before.includes(pid)).length).toBeLessThan(before.length);
      const looks = Array.from({ length: 6 }, () => said(shared, "look for what was left"));
      expect(new Set(await Promise.all(looks))).toEqual(new Set(["undefined undefined"]));
    },
  );
});

describe("a check reaches nothing", () => {
  test.each([
    ["read a file", "restricted"],
    ["read the workspace", "restricted"],
    ["read its parent's environment", "restricted"],
    ["write a file", "restricted"],
    ["start a process", "there is no node:child_process here"],
    ["open a socket", "there is no node:net here"],
    ["open a database", "there is no node:sqlite here"],
    ["import hooks from text", "registerHooks is not a function"],
    ["require from text", "there is no net here"],
    ["the loader from text", "there is no net here"],
    ["import a socket from text", "there is no node:net here"],
    ["a module by another way", "process.getBuiltinModule is not a function"],
    ["a binding", "process.binding is not a function"],
    ["an addon", "process.dlopen is not a function"],
    ["kill somebody", "process.kill is not a function"],
    ["fetch", "fetch is not defined"],
  ])("%s", async (name, why) => {
    expect(await said(shared, name)).toContain(why);
  });

  test.runIf(ownNetwork)("not even the machine itself by its network", async () => {
    expect(await said(shared, "look at the network")).toBe("did it: {}");
  });

  test("its environment says the time zone and nothing else, and its folder is no longer there", async () => {
    expect(await said(shared, "environment")).toBe('{"TZ":"UTC"}');
    const folder = (await said(shared, "where am I")).replace("did it: ", "");
    expect(existsSync(folder)).toBe(false);
  });
});

describe("the processes", () => {
  test("are started only when they are needed", async () => {
    const pool = poolOf();
    expect(pool.pids).toEqual([]);
    await said(pool, "pass");
    expect(pool.pids).toHaveLength(1);
    await pool.close();
  });

  test("make checks also where the system offers nothing", async () => {
    const child = new Child(entry, limits, { ownNetwork: false, diesWithParent: false, watched: false, prefix: [] });
    await child.ready;
    expect(decodeReply(await child.ask(act("pass")))).toMatchObject({
      outcome: { result: { score: 1 } },
      tainted: false,
    });
    child.kill();
    await child.gone;
  });

  test("are gone when the pool is closed, and what they did is no verdict", async () => {
    const pool = poolOf({ limits: LIMITS, processes: 3 });
    const running = [pool.run(act("loop")), pool.run(act("loop"))];
    await said(pool, "pass");
    const { pids } = pool;
    await pool.close();
    for (const outcome of await Promise.all(running)) expect(outcome.kind).toBe("broke");
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect(textOf(await pool.run(act("pass")))).toBe("broke: the sandbox is closing");
  });

  test("that cannot be started are no verdict, and show in the health", async () => {
    const pool = poolOf({ entry: path.join(import.meta.dirname, "nothing-here.ts") });
    expect(await said(pool, "pass")).toBe("broke: the sandbox cannot start its processes");
    await expect(pool.check()).rejects.toThrow("cannot start");
    await pool.close();
  });
});
