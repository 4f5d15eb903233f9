/**
 * A process of the bare transport: one BullMQ worker and the queue behind it. Three of them, for calling the model,
 * judging its answer and saying that it is done, are what our services would be without a database: the floor that the
 * whole system is compared with.
 */
import { anthropic } from "@contingent/providers/anthropic/anthropic";
import { evaluate, verdictOf } from "@contingent/validators/evaluate";
import { runHere } from "@contingent/validators/validator";
import { parseOutput } from "@contingent/validators/parse-output";
import { wallMs } from "../contender.ts";
import { modelRequest, OUTPUT_SCHEMA, THRESHOLDS, VALIDATOR } from "../workload.ts";
import { bareQueue, bareWorker, type Hop, HOPS } from "./transport.ts";

const TIMEOUT_MS = 30_000;

const hop = HOPS.find((name) => name === process.env["HOP"]);
const url = process.env["QUEUE_URL"];
if (hop === undefined || url === undefined || process.send === undefined)
  throw new Error("started by the benchmark only");
const tell = process.send.bind(process);

const handle = await handlerOf(hop, url);
const worker = bareWorker(url, hop, handle);
await worker.waitUntilReady();
tell({ ready: true });
process.on("disconnect", () => process.exit(0));

interface Work {
  readonly key: string;
  readonly text?: string;
}

async function handlerOf(stage: Hop, queueUrl: string): Promise<(work: Work) => Promise<void>> {
  switch (stage) {
    case "call": {
      const next = await bareQueue(queueUrl, "validate");
      const baseUrl = process.env["ANTHROPIC_BASE_URL"];
      const provider = anthropic({ apiKey: "bench", baseUrl });
      return async ({ key }) => {
        const result = await provider.call(modelRequest(key), AbortSignal.timeout(TIMEOUT_MS));
        if (result.kind !== "answered") throw new Error(`the simulator did not answer: ${result.message}`);
        await next.add("validate", { key, text: result.text }, { jobId: `${key}-2` });
      };
    }
    case "validate": {
      const next = await bareQueue(queueUrl, "settle");
      return async ({ key, text = "" }) => {
        const parsed = parseOutput(text);
        if (!parsed.ok) throw new Error("the answer is not JSON");
        const subject = { input: {}, output: parsed.value, outputSchema: OUTPUT_SCHEMA };
        const verdict = verdictOf(await evaluate(VALIDATOR, subject, THRESHOLDS, { run: runHere }));
        if (verdict.decision !== "pass") throw new Error("the answer is not right");
        await next.add("settle", { key }, { jobId: `${key}-3` });
      };
    }
    case "settle":
      return async ({ key }) => {
        tell({ done: key, atMs: wallMs() });
      };
  }
}
