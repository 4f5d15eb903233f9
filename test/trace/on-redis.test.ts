import { telemetryTests } from "./telemetry.ts";

telemetryTests("redis");
