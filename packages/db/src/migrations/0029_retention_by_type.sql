-- For how many days after the job is closed its texts are kept at the most, as its outcome type's version says; null: as long
-- as the customer's are. Beside the job, so that those of types without a retention are in no index for it.
ALTER TABLE job ADD COLUMN payload_retention_days int;
CREATE INDEX job_payload_kept_by_type ON job (payload_retention_days, closed_at)
  WHERE payload_retention_days IS NOT NULL AND closed_at IS NOT NULL AND payload_dropped_at IS NULL;
-- Which retentions there are.
CREATE INDEX outcome_type_version_retention ON outcome_type_version ((resolved ->> 'payloadRetentionDays'))
  WHERE resolved ->> 'payloadRetentionDays' IS NOT NULL;
