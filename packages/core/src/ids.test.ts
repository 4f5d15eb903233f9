import { describe, expect, test } from "vitest";
import { ID_PREFIXES, isId } from "./ids.ts";

describe("ids", () => {
  test.each(ID_PREFIXES)("%s_… is an id of its own kind and of no other", (prefix) => {
    const id = `${prefix}_01k9zxw3v8q4m7t2`;
    expect(ID_PREFIXES.filter((other) => isId(other, id))).toEqual([prefix]);
  });

  test.each([
    "",
    "job",
    "job_",
    "job_abc",
    "job_ABCD1234",
    "job_01k9 zxw3",
    "job_01k9zxw3\n",
    "\njob_01k9zxw3",
    "job_01k9-zxw3",
    "xjob_01k9zxw3",
    "job__01k9zxw3",
    `job_${"a".repeat(41)}`,
  ])("%j is no id", (text) => {
    expect(isId("job", text)).toBe(false);
  });

  test("four to forty characters are an id", () => {
    expect([3, 4, 40, 41].map((length) => isId("att", `att_${"7".repeat(length)}`))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
