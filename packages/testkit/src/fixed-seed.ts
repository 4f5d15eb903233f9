/**
 * Run before each test file under CI: the property tests then try the same inputs every time, so that what fails is the
 * change under test. Elsewhere they try others each time, to find more, and a failure prints its seed.
 */
import { configureGlobal } from "fast-check";

configureGlobal({ seed: 1 });
