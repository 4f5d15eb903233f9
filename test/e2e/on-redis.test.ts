import { pipelineTests } from "./pipeline.ts";

pipelineTests("redis");
