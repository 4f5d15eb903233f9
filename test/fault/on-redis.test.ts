import { hazardTests } from "./hazards.ts";

hazardTests("redis");
