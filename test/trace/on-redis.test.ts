import { traceTests } from "./trace.ts";

traceTests("redis");
