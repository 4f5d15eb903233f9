import { request } from "undici";
import { expect, test } from "vitest";
import { guardedAgent } from "./guarded-agent.ts";

test("the agent itself refuses literal addresses, whoever forgot to look at the URL", async () => {
  const dispatcher = guardedAgent({ allowsLoopback: false, responseBytesMax: 1_000 });
  for (const url of ["http://127.0.0.1:9/", "http://[::1]:9/", "http://[::ffff:127.0.0.1]:9/", "http://0.0.0.0:9/"])
    await expect(request(url, { dispatcher })).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
  await dispatcher.close();
});

test("of the addresses of a name only those that may be reached are tried", async () => {
  const tried: string[] = [];
  const dispatcher = guardedAgent({
    allowsLoopback: true,
    responseBytesMax: 1_000,
    resolve: (hostname, _, callback) => {
      tried.push(hostname);
      callback(null, [
        { address: "10.0.0.1", family: 4 },
        { address: "fd00:ec2::254", family: 6 },
        { address: "127.0.0.1", family: 4 },
      ]);
    },
  });
  // Port 9 has nobody listening: that the connection is refused at once says that this machine was tried and no other.
  await expect(request("http://checks.example.com:9/", { dispatcher })).rejects.toMatchObject({
    code: "ECONNREFUSED",
    address: "127.0.0.1",
  });
  expect(tried).toEqual(["checks.example.com"]);
  await dispatcher.close();
});
