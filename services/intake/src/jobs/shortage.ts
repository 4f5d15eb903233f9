import type { Shortage } from "@contingent/core/books/funding";
import { add, type Currency, formatMoney, subtract } from "@contingent/core/money";
import { ApiError } from "../http/api-error.ts";

/** Why the customer's money does not suffice for a job, with the numbers. */
export function shortageError(shortage: Shortage, currency: Currency): ApiError {
  switch (shortage.because) {
    case "insufficient_prepaid": {
      const { needed, available } = shortage;
      const missing = formatMoney(subtract(needed, available));
      return new ApiError(
        "insufficient_funds",
        `The job may cost up to ${formatMoney(needed)} ${currency}, and ${formatMoney(available)} of the prepaid money can be used for it: ${missing} is missing. Top up, or wait until open jobs close.`,
      );
    }
    case "spending_limit": {
      const { needed, limit, period, held, spent } = shortage;
      const used = formatMoney(add(held, spent));
      return new ApiError(
        "spending_limit_reached",
        `The job may cost up to ${formatMoney(needed)} ${currency}. Of the limit of ${formatMoney(limit)} per ${period}, ${used} is in use: ${formatMoney(spent)} charged and ${formatMoney(held)} held for open jobs. Wait until jobs close or the ${period} ends, or have the limit raised.`,
      );
    }
  }
}
