/**
 * Traces and metrics out over OTLP, when `OTEL_EXPORTER_OTLP_ENDPOINT` is set. When it is not, nothing of the SDK is
 * loaded (which would take 0.3 s and 45 MB per process) and every span and metric is a no-op.
 *
 * The SDK reads the standard variables itself: protocol (http/protobuf unless told otherwise), headers, batch delay,
 * metric interval, sampler.
 */
import { diag, type DiagLogger, DiagLogLevel } from "@opentelemetry/api";
import type { Environment } from "./config.ts";
import type { Log } from "./log.ts";

export interface Telemetry {
  readonly enabled: boolean;
  /** Sends what is still held back; gives up after a bound when nobody takes it. */
  shutdown(): Promise<void>;
}

export interface TelemetryOptions {
  readonly serviceName: string;
  readonly instanceId: string;
  readonly log: Log;
  readonly env?: Environment;
}

const SHUTDOWN_TIMEOUT_MS = 3_000;

export async function startTelemetry({
  serviceName,
  instanceId,
  log,
  env = process.env,
}: TelemetryOptions): Promise<Telemetry> {
  if ((env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "") === "") return { enabled: false, shutdown: async () => undefined };
  const { startNodeSdk } = await import("@opentelemetry/sdk-node");
  const sdk = startNodeSdk({
    logLevel: "warn",
    resourceAttributes: {
      "service.namespace": "contingent",
      "service.name": serviceName,
      "service.instance.id": instanceId,
    },
    // No detectors: they would add the machine's and the user's names.
    resourceDetectors: [],
    // Logs go to stdout.
    logRecordProcessors: [],
  });
  diag.setLogger(diagnosticsTo(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  return {
    enabled: true,
    async shutdown() {
      let timer: NodeJS.Timeout | undefined;
      const giveUp = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, SHUTDOWN_TIMEOUT_MS);
      });
      await Promise.race([sdk.shutdown().catch(() => undefined), giveUp]);
      clearTimeout(timer);
    },
  };
}

const DIAGNOSTICS_INTERVAL_MS = 30_000;

/** A collector that is away fails every few seconds: one line per interval says so, and never stops the service. */
function diagnosticsTo(log: Log): DiagLogger {
  let silentUntilMs = 0;
  const report = (): void => {
    if (performance.now() < silentUntilMs) return;
    silentUntilMs = performance.now() + DIAGNOSTICS_INTERVAL_MS;
    log.warn("telemetry could not be sent: check that OTEL_EXPORTER_OTLP_ENDPOINT answers");
  };
  const ignore = (): void => undefined;
  return { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore };
}
