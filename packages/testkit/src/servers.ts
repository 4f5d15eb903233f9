/** How a test run's processes learn about its servers: by environment, which worker processes inherit. */

/** The Postgres server of this run, as its superuser. */
export const POSTGRES_URL = "CONTINGENT_TEST_POSTGRES_URL";
/** The Redis server of this run; unset where there is none. */
export const REDIS_URL = "CONTINGENT_TEST_REDIS_URL";
/** The database that tests' databases are clones of. */
export const TEMPLATE = "contingent_template";
