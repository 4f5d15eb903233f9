/** Whether services of the operator's that judge can be asked: there is a secret to sign with, and the address may be reached. */
import type { Problem } from "@contingent/contracts/http/errors";
import type { ValidatorNode } from "@contingent/core/outcome-type";
import { urlProblem } from "@contingent/runtime/outgoing/addresses";
import { checkTree } from "@contingent/validators/check-tree";
import { http } from "@contingent/validators/http/http";
import { inquiriesIn } from "@contingent/validators/leaves";
import type { Parts, Surroundings } from "./checks.ts";

const TREE = "/validator";

export function canAskItsServices({ validator }: Parts, { outgoing }: Surroundings): readonly Problem[] {
  if (validator === undefined || checkTree(validator, TREE).length > 0) return [];
  return inquiriesIn(validator as ValidatorNode).flatMap(({ path, validator: inquiry, options }) => {
    const read = http.options.safeParse(options);
    if (inquiry.name !== http.name || !read.success) return [];
    const { url, secret } = read.data;
    const at = `${TREE}${path}/options`;
    const problem = urlProblem(url, outgoing.reach);
    const unknown = `there is no secret "${secret}": add it to the services' HTTP_VALIDATOR_SECRETS_FILE first`;
    return [
      ...(problem === null ? [] : [{ param: `${at}/url`, message: problem }]),
      ...(outgoing.secrets.has(secret) ? [] : [{ param: `${at}/secret`, message: unknown }]),
    ];
  });
}
