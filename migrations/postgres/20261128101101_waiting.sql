-- What a run waits for while no worker has it, and until when; NULL while a worker has it, or if a version of the
-- program gave it back that did not tell.
ALTER TABLE sync_runs ADD COLUMN waiting_until timestamptz;
ALTER TABLE sync_runs ADD COLUMN waiting_why text;

-- In which form a run is written. A program that meets a higher form than its own leaves the run to a newer one.
ALTER TABLE sync_runs ADD COLUMN form bigint NOT NULL DEFAULT 1;
