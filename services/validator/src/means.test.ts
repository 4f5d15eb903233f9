/** Hazard: judges that go on calling a model which fails, or whose calls tell nobody about it. */
import { rate } from "@contingent/core/job/job.fixture";
import type { Entry, ModelGate, Pass } from "@contingent/db/model-gate";
import type { CallResult, Provider } from "@contingent/providers/provider";
import type { ModelCall } from "@contingent/validators/inquiry";
import { expect, test } from "vitest";
import { meansFor, type ModelAccess } from "./means.ts";

const MODEL = "large";
const CALL: ModelCall = { model: MODEL, system: "", user: "", outputSchema: {}, outputTokensMax: 10 };
const NO_ANSWER: CallResult = {
  kind: "timeout",
  mayHaveBeenBilled: true,
  retryAfterMs: null,
  message: "No answer.",
  usage: null,
};

interface Told {
  readonly entered: { readonly comesBack: boolean }[];
  readonly reported: (readonly [outcome: string, cost: bigint])[];
  calls: number;
}

/** A judge's model behind a gate that says this. */
async function judge({ entry, cutShort = false }: { readonly entry?: Entry; readonly cutShort?: boolean } = {}) {
  const told: Told = { entered: [], reported: [], calls: 0 };
  const pass: Pass = { key: { provider: "anthropic", model: MODEL }, revision: 1, isProbe: false, comesBack: false };
  const gate: Pick<ModelGate, "enter" | "report"> = {
    enter: async (_, call) => {
      told.entered.push(call);
      return entry ?? { kind: "pass", pass };
    },
    report: async (_, outcome, cost) => void told.reported.push([outcome, cost]),
  };
  const provider: Pick<Provider, "name" | "inputTokensAtMost" | "call"> = {
    name: "anthropic",
    inputTokensAtMost: () => 100,
    call: async () => {
      told.calls += 1;
      return NO_ANSWER;
    },
  };
  const access = {
    gate,
    providers: new Map([["anthropic", provider]]),
    priceBook: { rates: async () => [rate(MODEL, 40n, 200n)] },
  } as unknown as ModelAccess;
  const { signal } = new AbortController();
  const means = await meansFor(access, { signal, limitMs: 90_000, cutShort: () => cutShort }, 1);
  const model = means.model(MODEL);
  if (model === null) throw new Error("there is no model");
  return { told, call: () => model.call(CALL, signal) };
}

test("a judge's call that fails counts against its model, at its worst case, and the next one comes back to it", async () => {
  const { told, call } = await judge();
  await call();
  await call();
  expect(told.entered).toMatchObject([{ comesBack: false }, { comesBack: true }]);
  // 100 tokens in and 10 out.
  expect(told.reported).toEqual([
    ["failed", 6_000n],
    ["failed", 6_000n],
  ]);
});

test("a judge whose model is away is not called: that costs nothing, and counts as nothing", async () => {
  for (const kind of ["away", "wait"] as const) {
    const { told, call } = await judge({ entry: { kind } });
    expect(await call()).toMatchObject({ kind: "unavailable", mayHaveBeenBilled: false });
    expect([told.calls, told.reported]).toEqual([0, []]);
  }
});

test("a judge that had less time than it is due says nothing of its model", async () => {
  const { told, call } = await judge({ cutShort: true });
  await call();
  expect(told.reported).toEqual([["unsaid", 6_000n]]);
});
