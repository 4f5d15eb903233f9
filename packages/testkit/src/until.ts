export { until } from "@contingent/embedded/wait";
