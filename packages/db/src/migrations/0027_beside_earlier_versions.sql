-- A process of an earlier version does not say whose an input is (0022_tenants.sql): it is its job's customer's. The job may be
-- made by the very statement that writes the input, before it.
CREATE FUNCTION input_of_its_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.customer_id := (SELECT customer_id FROM job WHERE id = NEW.job_id);
  RETURN NEW;
END $$;
CREATE TRIGGER input_of_its_job BEFORE INSERT ON job_input FOR EACH ROW
  WHEN (NEW.customer_id IS NULL) EXECUTE FUNCTION input_of_its_job();
