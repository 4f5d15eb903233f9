/** Every endpoint about customers, in the order in which the reference shows them. */
import { listEvents } from "./customer-events.ts";
import { listCustomerTerms, putCustomerTerms } from "./customer-terms.ts";
import { createCustomer, getBalance, getCustomer, listCustomers, putBilling } from "./customers.ts";
import { createGrant, createTopUp, listGrants } from "./grants.ts";
import type { Operation } from "./operation.ts";
import { erasePayloads, putRetention } from "./payloads.ts";
import { moveTestClock } from "./test-clock.ts";

export const CUSTOMER_OPERATIONS: readonly Operation[] = [
  createCustomer,
  listCustomers,
  getCustomer,
  putBilling,
  getBalance,
  createTopUp,
  createGrant,
  listGrants,
  putCustomerTerms,
  listCustomerTerms,
  moveTestClock,
  putRetention,
  erasePayloads,
  listEvents,
];
