import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, LookupFunction } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPoster, type Poster } from "./post.ts";
import { isSigned, signingSecret } from "./standard-webhooks.ts";

const read = signingSecret(`whsec_${Buffer.alloc(32, 7).toString("base64")}`);
const secrets = read === null ? [] : [read];
const body = JSON.stringify({ output: "é" });

let answer: RequestListener;
let requests = 0;
let server: Server;
let poster: Poster;
let port = 0;

/** What names mean: `first` for the first look-up and `then` for every later one. */
function names(...meanings: readonly string[]): LookupFunction & { asked: number } {
  const resolve = (_: string, __: object, callback: Parameters<LookupFunction>[2]): void => {
    const address = meanings[Math.min(resolve.asked++, meanings.length - 1)] ?? "";
    callback(null, [{ address, family: address.includes(":") ? 6 : 4 }]);
  };
  resolve.asked = 0;
  return resolve;
}

beforeAll(async () => {
  server = createServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as AddressInfo).port;
  poster = openPoster({ allowsLoopback: true });
});

beforeEach(() => {
  requests = 0;
  answer = (_, response) => response.end("{}");
});

afterAll(async () => {
  await poster.close();
  server.close();
});

async function post(url: string, from: Poster = poster, timeoutMs = 30_000) {
  return await from.post({ url, id: "inq_1", body, secrets, signal: AbortSignal.timeout(timeoutMs) });
}

describe("post", () => {
  test("sends JSON with a signature over the very bytes", async () => {
    const got = Promise.withResolvers<boolean>();
    answer = (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const headers = { ...request.headers } as Record<string, string>;
        got.resolve(
          request.method === "POST" &&
            isSigned(secrets, headers, Buffer.concat(chunks).toString("utf8"), Math.floor(Date.now() / 1_000)),
        );
        response.writeHead(202).end('{"seen":true}');
      });
    };
    expect(await post(`http://127.0.0.1:${port}/`)).toEqual({ kind: "answered", status: 202, body: '{"seen":true}' });
    expect(await got.promise).toBe(true);
  });

  test("follows no redirect, to wherever it leads", async () => {
    answer = (_, response) => response.writeHead(307, { location: `http://127.0.0.1:${port}/inside` }).end();
    expect(await post(`http://127.0.0.1:${port}/`)).toMatchObject({ kind: "answered", status: 307 });
    expect(requests).toBe(1);
  });

  test("reads no more of an answer than it may, whether its length is announced or not", async () => {
    for (const announce of [true, false]) {
      answer = (_, response) => {
        const text = "a".repeat(70_000);
        if (announce) response.setHeader("content-length", text.length);
        response.write(text.slice(0, 60_000));
        response.end(text.slice(60_000));
      };
      expect(await post(`http://127.0.0.1:${port}/`)).toEqual({
        kind: "failed",
        message: "the answer has more than 65536 bytes",
      });
    }
  });

  test("gives up when its time is over, also in the middle of an answer", async () => {
    answer = (_, response) => void response.write("{");
    expect(await post(`http://127.0.0.1:${port}/`, poster, 200)).toEqual({
      kind: "failed",
      message: "there was no answer in time",
    });
  });

  test("says that nobody is there", async () => {
    const gone = createServer();
    await once(gone.listen(0, "127.0.0.1"), "listening");
    const { port: free } = gone.address() as AddressInfo;
    await once(gone.close(), "close");
    expect(await post(`http://127.0.0.1:${free}/`)).toEqual({ kind: "failed", message: "the connection was refused" });
  });

  test("never connects to a name that means an inside address, whatever it meant when it was written down", async () => {
    const inside = ["127.0.0.1", "::ffff:127.0.0.1", "::1", "0.0.0.0", "10.0.0.1", "169.254.169.254"];
    for (const address of inside) {
      const outside = openPoster({ allowsLoopback: false, resolve: names(address) });
      expect(await post("https://checks.example.com/", outside)).toEqual({
        kind: "failed",
        message: "there is no public address behind the name",
      });
      await outside.close();
    }
    expect(requests).toBe(0);
  });

  test("looks at the address of every connection: a name that changes its mind gets no second one", async () => {
    // Where only loopback counts as reachable here, 10.0.0.1 stands for the inside that the name comes to mean.
    const resolve = names("127.0.0.1", "10.0.0.1");
    const rebinding = openPoster({ allowsLoopback: true, resolve });
    answer = (_, response) => response.setHeader("connection", "close").end("{}");
    const url = `http://localhost:${port}/`;
    expect(await post(url, rebinding)).toMatchObject({ kind: "answered", status: 200 });
    expect(await post(url, rebinding)).toEqual({
      kind: "failed",
      message: "there is no public address behind the name",
    });
    expect([requests, resolve.asked]).toEqual([1, 2]);
    await rebinding.close();
  });

  test("never connects to a literal address inside, which is never looked up", async () => {
    const resolve = names("1.1.1.1");
    const outside = openPoster({ allowsLoopback: false, resolve });
    for (const host of ["127.0.0.1", "127.1", "2130706433", "[::ffff:127.0.0.1]", "169.254.169.254"])
      expect(await post(`https://${host}/`, outside)).toEqual({
        kind: "failed",
        message: "the address must name a public address",
      });
    expect([requests, resolve.asked]).toEqual([0, 0]);
    await outside.close();
  });
});
