-- What broke is the operator's to look at: closed to customers (0022_tenants.sql).
SELECT protect('dead_letter');
SELECT protect('job_fault');
