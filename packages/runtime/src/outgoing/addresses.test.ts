import { describe, expect, test } from "vitest";
import { mayReach, urlProblem } from "./addresses.ts";

const outside = { allowsLoopback: false };
const development = { allowsLoopback: true };

describe("addresses", () => {
  test.each(["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])(
    "%s is public",
    (address) => {
      expect(mayReach(address, outside)).toBe(true);
    },
  );

  test.each([
    ["this machine", ["127.0.0.1", "127.255.255.254", "::1", "0.0.0.0", "0.1.2.3", "::"]],
    ["private networks", ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"]],
    ["carriers' networks", ["100.64.0.1", "100.127.255.255"]],
    ["link-local addresses", ["169.254.0.1", "fe80::1", "febf::1", "fec0::1"]],
    ["the clouds' metadata", ["169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"]],
    ["IPv4 mapped into IPv6", ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "::127.0.0.1"]],
    [
      "translated IPv4",
      ["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "2002:7f00:1::1", "2001:0:7f00:1::"],
    ],
    ["multicast and broadcast", ["224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"]],
    [
      "documentation and benchmarks",
      ["192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    ],
    [
      "what is no plain address",
      ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "2606:4700::1111%lo", "1.1.1.1 "],
    ],
  ])("%s are not", (_, addresses) => {
    for (const address of addresses) expect([address, mayReach(address, outside)]).toEqual([address, false]);
  });

  test("in development this machine may be reached, and no other that is not public", () => {
    for (const address of ["127.0.0.1", "127.9.9.9", "::1", "1.1.1.1"])
      expect(mayReach(address, development)).toBe(true);
    for (const address of ["0.0.0.0", "10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"])
      expect(mayReach(address, development)).toBe(false);
  });
});

describe("URLs", () => {
  test.each([
    "https://checks.example.com/verify?v=1",
    "https://checks.example.com:8443/",
    "https://1.1.1.1/",
    "https://[2606:4700::1111]/",
    "https://localhost.example.com/",
  ])("%s may be asked", (url) => {
    expect(urlProblem(url, outside)).toBe(null);
  });

  test.each([
    ["http://checks.example.com/", "https"],
    ["ftp://checks.example.com/", "https"],
    ["file:///etc/passwd", "https"],
    ["gopher://checks.example.com/", "https"],
    ["checks.example.com", "must be a URL"],
    ["https://", "must be a URL"],
    ["https://user:pass@checks.example.com/", "user or a password"],
    ["https://checks.example.com:22/", "port"],
    ["https://checks.example.com:6379/", "port"],
    [`https://checks.example.com/${"a".repeat(2_000)}`, "characters"],
    ...[
      "127.0.0.1",
      "127.0.0.1.",
      "127.1",
      "0",
      "2130706433",
      "0x7f000001",
      "0x7f.1",
      "0177.0.0.1",
      "017700000001",
      "①②⑦.0.0.1",
      "127。0。0。1",
      "169.254.169.254",
      "0xa9fea9fe",
      "[::1]",
      "[::]",
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[64:ff9b::7f00:1]",
      "[2002:7f00:1::]",
      "[fd00:ec2::254]",
      "[0:0:0:0:0:0:0:1]",
    ].map((host): [string, string] => [`https://${host}/`, "public"]),
  ])("%s may not", (url, reason) => {
    expect(urlProblem(url, outside)).toContain(reason);
  });

  test("in development this machine may be asked over HTTP and on any port, and only this machine", () => {
    for (const url of ["http://127.0.0.1:4000/", "http://localhost:4000/", "http://[::1]:4000/", "https://127.0.0.1/"])
      expect(urlProblem(url, development)).toBe(null);
    for (const url of ["http://checks.example.com/", "http://10.0.0.1/", "https://checks.example.com:4000/"])
      expect(urlProblem(url, development)).not.toBe(null);
  });
});
