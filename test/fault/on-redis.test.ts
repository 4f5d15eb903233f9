import { faultTests } from "./faults.ts";

faultTests("redis");
