import { chaosTest } from "./chaos/chaos-test.ts";

chaosTest("postgres");
