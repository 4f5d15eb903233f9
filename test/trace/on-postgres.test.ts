import { telemetryTests } from "./telemetry.ts";

telemetryTests("postgres");
