import { pipelineTests } from "./pipeline.ts";

pipelineTests("postgres");
