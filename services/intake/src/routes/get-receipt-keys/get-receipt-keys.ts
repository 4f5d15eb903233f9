import { getReceiptKeys } from "@contingent/contracts/http/operations";
import { usedReceiptKeys } from "@contingent/db/receipts";
import { sendError } from "../../http/respond.ts";
import type { Route } from "../../http/route.ts";

/** Long enough to spare us, short enough that a key which is published before it signs is known when it does. */
const KEYS_MAX_AGE_S = 300;

/** Open to everybody, browsers included: whoever holds a receipt may verify it. */
export const getReceiptKeysRoute: Route = {
  operation: getReceiptKeys,
  handle:
    ({ everybody: { pool, receiptKeys, log } }) =>
    async (_request, response) => {
      try {
        const keys = [...receiptKeys.published, ...(await usedReceiptKeys(pool))];
        const byId = new Map(keys.map((key) => [key.kid, key]));
        response.set("Cache-Control", `public, max-age=${KEYS_MAX_AGE_S}`).set("Access-Control-Allow-Origin", "*");
        response.json({ keys: [...byId.values()] });
      } catch (error) {
        sendError(response, error, log);
      }
    },
};
