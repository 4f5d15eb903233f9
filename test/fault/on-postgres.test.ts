import { faultTests } from "./faults.ts";

faultTests("postgres");
