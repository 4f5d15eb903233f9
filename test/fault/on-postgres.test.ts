import { hazardTests } from "./hazards.ts";

hazardTests("postgres");
