import type { Route } from "../http/route.ts";
import { acceptJobRoute } from "./accept-job/accept-job.ts";
import { checkBooksRoute, listBookChecksRoute } from "./book-checks/book-checks.ts";
import { bulkCreateJobsRoute } from "./bulk-create-jobs/bulk-create-jobs.ts";
import { cancelJobRoute } from "./cancel-job/cancel-job.ts";
import { closeStatementRoute } from "./close-statement/close-statement.ts";
import { correctCostRoute } from "./correct-cost/correct-cost.ts";
import { createCreditNoteRoute } from "./create-credit-note/create-credit-note.ts";
import { createCustomerKeyRoute } from "./create-customer-key/create-customer-key.ts";
import { createCustomerRoute } from "./create-customer/create-customer.ts";
import { createGrantRoute, createTopUpRoute } from "./create-grant/create-grant.ts";
import { createJobRoute } from "./create-job/create-job.ts";
import { createKeyRoute } from "./create-key/create-key.ts";
import { decideAuditRoute } from "./decide-audit/decide-audit.ts";
import { decideReviewRoute } from "./decide-review/decide-review.ts";
import { dismissDeadLetterRoute } from "./dismiss-dead-letter/dismiss-dead-letter.ts";
import { erasePayloadsRoute } from "./erase-payloads/erase-payloads.ts";
import { getAttemptCostRoute } from "./get-attempt-cost/get-attempt-cost.ts";
import { getAuditRoute } from "./get-audit/get-audit.ts";
import { getBalanceRoute } from "./get-balance/get-balance.ts";
import { getCustomerRoute } from "./get-customer/get-customer.ts";
import { getDeadLetterRoute } from "./get-dead-letter/get-dead-letter.ts";
import { getDisputeRoute } from "./get-dispute/get-dispute.ts";
import { getJobRoute } from "./get-job/get-job.ts";
import { getKeyRoute } from "./get-key/get-key.ts";
import { getMarginRoute } from "./get-margin/get-margin.ts";
import { getOutcomeTypeRoute, getOutcomeTypeVersionRoute } from "./get-outcome-type/get-outcome-type.ts";
import { getPriceBookRoute } from "./get-price-book/get-price-book.ts";
import { getPriceRecommendationRoute } from "./get-price-recommendation/get-price-recommendation.ts";
import { getQualityPageRoute } from "./get-quality-page/get-quality-page.ts";
import { getQualityRoute } from "./get-quality/get-quality.ts";
import { getReceiptKeysRoute } from "./get-receipt-keys/get-receipt-keys.ts";
import { getReceiptRoute } from "./get-receipt/get-receipt.ts";
import { getReconciliationRoute, listReconciliationsRoute } from "./get-reconciliation/get-reconciliation.ts";
import { getReviewRoute } from "./get-review/get-review.ts";
import { getStatementCsvRoute } from "./get-statement-csv/get-statement-csv.ts";
import { getStatementPageRoute } from "./get-statement-page/get-statement-page.ts";
import { getStatementRoute } from "./get-statement/get-statement.ts";
import { getSummaryRoute } from "./get-summary/get-summary.ts";
import { healthRoutes } from "./health/health.ts";
import { importRatesRoute } from "./import-rates/import-rates.ts";
import { labelJobRoute } from "./label-job/label-job.ts";
import { listAuditsRoute } from "./list-audits/list-audits.ts";
import { listCreditNotesRoute } from "./list-credit-notes/list-credit-notes.ts";
import { listCustomerTermsRoute } from "./list-customer-terms/list-customer-terms.ts";
import { listCustomersRoute } from "./list-customers/list-customers.ts";
import { listDeadLettersRoute } from "./list-dead-letters/list-dead-letters.ts";
import { listDisputesRoute } from "./list-disputes/list-disputes.ts";
import { listEventsRoute } from "./list-events/list-events.ts";
import { listGrantsRoute } from "./list-grants/list-grants.ts";
import { listJobsRoute } from "./list-jobs/list-jobs.ts";
import { listJudgesRoute } from "./list-judges/list-judges.ts";
import { listKeysRoute } from "./list-keys/list-keys.ts";
import { listOutcomeTypesRoute, listOutcomeTypeVersionsRoute } from "./list-outcome-types/list-outcome-types.ts";
import { listQualityAlertsRoute } from "./list-quality-alerts/list-quality-alerts.ts";
import { listProviderModelsRoute } from "./list-provider-models/list-provider-models.ts";
import { listReviewsRoute } from "./list-reviews/list-reviews.ts";
import { listStatementLinesRoute } from "./list-statement-lines/list-statement-lines.ts";
import { listStatementsRoute } from "./list-statements/list-statements.ts";
import { moveTestClockRoute } from "./move-test-clock/move-test-clock.ts";
import { openDisputeRoute } from "./open-dispute/open-dispute.ts";
import { payStatementRoute } from "./pay-statement/pay-statement.ts";
import { putBreakerRoute } from "./put-breaker/put-breaker.ts";
import { putBillingRoute } from "./put-billing/put-billing.ts";
import { putCustomerTermsRoute } from "./put-customer-terms/put-customer-terms.ts";
import { putOutcomeTypeRoute } from "./put-outcome-type/put-outcome-type.ts";
import { putRetentionRoute } from "./put-retention/put-retention.ts";
import { reconcileRoute } from "./reconcile/reconcile.ts";
import { redriveDeadLetterRoute } from "./redrive-dead-letter/redrive-dead-letter.ts";
import { redriveDeadLettersRoute } from "./redrive-dead-letters/redrive-dead-letters.ts";
import { reinstateJudgeRoute } from "./reinstate-judge/reinstate-judge.ts";
import { replyToInquiryRoute } from "./reply-to-inquiry/reply-to-inquiry.ts";
import { resolveDisputeRoute } from "./resolve-dispute/resolve-dispute.ts";
import { reverifyJobRoute } from "./reverify-job/reverify-job.ts";
import { revokeKeyRoute } from "./revoke-key/revoke-key.ts";
import { rotateKeyRoute } from "./rotate-key/rotate-key.ts";
import { tryOutcomeTypeRoute } from "./try-outcome-type/try-outcome-type.ts";
import { watchJobRoute } from "./watch-job/watch-job.ts";
import { withdrawDisputeRoute } from "./withdraw-dispute/withdraw-dispute.ts";

/** Every endpoint of the contract, one folder each. */
export const ROUTES: readonly Route[] = [
  createJobRoute,
  bulkCreateJobsRoute,
  listJobsRoute,
  getJobRoute,
  watchJobRoute,
  cancelJobRoute,
  acceptJobRoute,
  getReceiptRoute,
  reverifyJobRoute,
  openDisputeRoute,
  listDisputesRoute,
  getDisputeRoute,
  withdrawDisputeRoute,
  resolveDisputeRoute,
  createCreditNoteRoute,
  listCreditNotesRoute,
  putOutcomeTypeRoute,
  tryOutcomeTypeRoute,
  listOutcomeTypesRoute,
  getOutcomeTypeRoute,
  listOutcomeTypeVersionsRoute,
  getOutcomeTypeVersionRoute,
  getPriceRecommendationRoute,
  getQualityRoute,
  getQualityPageRoute,
  listAuditsRoute,
  getAuditRoute,
  listReviewsRoute,
  getReviewRoute,
  decideReviewRoute,
  decideAuditRoute,
  labelJobRoute,
  listQualityAlertsRoute,
  listStatementsRoute,
  getStatementRoute,
  listStatementLinesRoute,
  getStatementCsvRoute,
  getStatementPageRoute,
  closeStatementRoute,
  payStatementRoute,
  getSummaryRoute,
  checkBooksRoute,
  listBookChecksRoute,
  listDeadLettersRoute,
  redriveDeadLettersRoute,
  getDeadLetterRoute,
  redriveDeadLetterRoute,
  dismissDeadLetterRoute,
  listJudgesRoute,
  reinstateJudgeRoute,
  listProviderModelsRoute,
  putBreakerRoute,
  replyToInquiryRoute,
  getMarginRoute,
  getReceiptKeysRoute,
  importRatesRoute,
  getPriceBookRoute,
  getAttemptCostRoute,
  correctCostRoute,
  reconcileRoute,
  listReconciliationsRoute,
  getReconciliationRoute,
  createCustomerRoute,
  listCustomersRoute,
  getCustomerRoute,
  putBillingRoute,
  getBalanceRoute,
  createTopUpRoute,
  createGrantRoute,
  listGrantsRoute,
  putCustomerTermsRoute,
  listCustomerTermsRoute,
  moveTestClockRoute,
  putRetentionRoute,
  erasePayloadsRoute,
  listEventsRoute,
  createKeyRoute,
  createCustomerKeyRoute,
  listKeysRoute,
  getKeyRoute,
  rotateKeyRoute,
  revokeKeyRoute,
  ...healthRoutes,
];
