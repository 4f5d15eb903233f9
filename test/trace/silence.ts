/** Telemetry that nobody asked for costs nothing. */
import { expect, test } from "vitest";
import { answer, settle } from "../e2e/support/cases.ts";
import { WRONG } from "../e2e/support/sums.ts";
import type { GetSystem } from "../e2e/support/use-system.ts";
import type { GetReceiver } from "./tree.ts";

const RECORD_LOADS = new URL("../telemetry/record-loads.ts", import.meta.url).href;

export function silenceTests(system: GetSystem, received: GetReceiver): void {
  test("without an endpoint no service loads any of the telemetry SDK, and jobs have a trace id all the same", async () => {
    const names = system()
      .processes()
      .map(({ name }) => name);
    const silent = { OTEL_EXPORTER_OTLP_ENDPOINT: "", NODE_OPTIONS: `--import=${RECORD_LOADS}` };
    await Promise.all(names.map((name) => system().restart(name, silent)));
    const { job } = await settle(system(), { steps: [answer(WRONG)] });
    expect(job).toMatchObject({ resolution: "success" });
    expect(job.trace_id).toMatch(/^[0-9a-f]{32}$/);
    const children = system()
      .processes()
      .map(({ child }) => child);
    await Promise.all(
      children.map(async (child) => {
        child.send("SIGTERM");
        await child.exited;
      }),
    );
    for (const name of names) {
      const [, loaded] = /telemetry modules: (.*)/.exec(system().log(name)) ?? [];
      expect(loaded, name).toBe("@opentelemetry/api");
    }
    expect(
      received()
        .spans()
        .filter(({ traceId }) => traceId === job.trace_id),
    ).toEqual([]);
  });
}
