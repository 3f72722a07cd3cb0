-- Which organization's work is next, found without a look at everything that is due.
--
-- `last_claims` says of each organization when its work was last claimed ('epoch': never) and before which time nothing
-- of it can be claimed (NULL: it has no work in the queue); a program of another version may leave it too early or
-- NULL, and the notification of that work puts it right. The organizations are asked in that order. `is_leased`
-- changes with a claim and with its end and not with the renewals between them, so that these add no entry to an index.

ALTER TABLE work_queue ADD COLUMN is_leased boolean NOT NULL GENERATED ALWAYS AS (lease_until IS NOT NULL) STORED;
-- locks: the queue has a row for each piece of work that is still to be done.
CREATE INDEX work_queue_by_turn ON work_queue (organization_id, due_at, token, id);
-- locks: the queue has a row for each piece of work that is still to be done.
CREATE INDEX work_queue_leased ON work_queue (organization_id) WHERE is_leased;

ALTER TABLE last_claims ADD COLUMN due_at timestamptz;
INSERT INTO last_claims (organization_id, claimed_at, due_at)
SELECT organization_id, timestamptz 'epoch', min(due_at) FROM work_queue GROUP BY organization_id
ON CONFLICT (organization_id) DO UPDATE SET due_at = excluded.due_at;
-- locks: a row for each organization.
CREATE INDEX last_claims_by_turn ON last_claims (claimed_at, due_at) WHERE due_at IS NOT NULL;
