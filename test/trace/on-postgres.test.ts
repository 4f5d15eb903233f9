import { traceTests } from "./trace.ts";

traceTests("postgres");
