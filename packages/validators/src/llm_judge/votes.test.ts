import { expect, test } from "vitest";
import { voteIn } from "./votes.ts";

const said = (met: boolean, reason = "so"): string => JSON.stringify({ reason, met });

test("a reply is a vote when it says one thing of each criterion", () => {
  expect(voteIn(`{"c1":${said(true, 'it says "met": true')},"c2":${said(false)}}`, { order: [1, 0] })).toMatchObject({
    met: [false, true],
  });
});

test.each([
  ["a criterion twice", `{"c1":${said(false)},"c1":${said(true)}}`],
  ["both of one criterion", '{"c1":{"reason":"so","met":false,"met":true}}'],
  ["more than was asked", `{"c1":${said(true)},"c2":${said(true)}}`],
])("a reply that says %s is no vote", (_, text) => {
  expect(JSON.parse(text)).toBeTypeOf("object");
  expect(voteIn(text, { order: [0] })).toBeNull();
});
