/**
 * What leaves a system by OTLP: one trace per job over every process it passes through, and metrics of the business;
 * ids and numbers in both, never what a customer wrote, a model answered or a key says.
 */
import { randomBytes } from "node:crypto";
import { otlpEnvironment, type OtlpReceiver, startOtlpReceiver } from "@contingent/testkit/otlp-receiver";
import type { TransportName } from "@contingent/testkit/transports";
import { afterAll, beforeAll } from "vitest";
import { describeOn, useSystem } from "../e2e/support/use-system.ts";
import { metricTests } from "./metrics.ts";
import { treeTests } from "./one-trace.ts";
import { secrecyTests } from "./secrecy.ts";
import { silenceTests } from "./silence.ts";
import type { GetReceiver } from "./tree.ts";

/** In the environment of the workers: must turn up nowhere. */
const PROVIDER_KEY = `sk-ant-canary-${randomBytes(8).toString("hex")}`;

/** Customers' texts are sealed: all that follows works with sealed ones. */
const PAYLOAD_KEYS = JSON.stringify({ keys: [{ kty: "oct", kid: "test", k: randomBytes(32).toString("base64url") }] });

export function telemetryTests(transport: TransportName): void {
  describeOn(transport, "telemetry", () => {
    let receiver: OtlpReceiver | undefined;
    const received: GetReceiver = () => {
      if (receiver === undefined) throw new Error("the receiver has not been started");
      return receiver;
    };
    beforeAll(async () => {
      receiver = await startOtlpReceiver();
    });
    afterAll(async () => {
      await receiver?.close();
    });
    const system = useSystem(() => ({
      transport,
      workers: { premium: 0 },
      env: { ...otlpEnvironment(received()), ANTHROPIC_API_KEY: PROVIDER_KEY, LOG_LEVEL: "trace", PAYLOAD_KEYS },
    }));
    treeTests(system, received);
    metricTests(system, received);
    secrecyTests(system, received, PROVIDER_KEY);
    silenceTests(system, received);
  });
}
