-- A try is counted before each sending: half of each page is left free, so that the row with its new count goes beside the old
-- one, and none of the seven indexes is written.
ALTER TABLE deliveries SET (fillfactor = 50);
