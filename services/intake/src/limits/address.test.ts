/** Hazard: a client with a network of addresses who is counted as many, or two who are counted as one. */
import { expect, test } from "vitest";
import { networkOf } from "./address.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::FFFF:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::9", "2001:db8:0:0::/64"],
  ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["", ""],
  // Else whoever comes through such a proxy would be somebody else with each connection.
  ["192.0.2.7:50123", "192.0.2.7"],
  ["[2001:db8:1:2:3:4:5:6]:50123", "2001:db8:1:2::/64"],
  ["[2001:db8::9]", "2001:db8:0:0::/64"],
])("%s is counted as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
