-- Which process waits for whoever was asked. When it is gone nobody writes the reply down, so the job need not wait until
-- the inquiry is due. Null: nobody waits, because the reply comes by itself; or a process of an earlier version asks.
ALTER TABLE inquiry ADD COLUMN holder text;
-- Those that are open, so that history costs nothing.
CREATE INDEX inquiry_held ON inquiry (holder) WHERE outcome IS NULL AND holder IS NOT NULL;
