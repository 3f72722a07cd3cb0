-- Which organization's work is next, found without a look at everything that is due.
--
-- `last_claims` says of each organization when its work was last claimed (0: never) and before which time nothing of
-- it can be claimed (NULL: it has no work in the queue); a program of another version may leave it too early or NULL,
-- and the notification of that work puts it right. The organizations are asked in that order.

CREATE INDEX work_queue_by_turn ON work_queue (organization_id, due_at, token, id);
CREATE INDEX work_queue_leased ON work_queue (organization_id) WHERE lease_until IS NOT NULL;

ALTER TABLE last_claims ADD COLUMN due_at INTEGER;
INSERT INTO last_claims (organization_id, claimed_at, due_at)
SELECT organization_id, 0, min(due_at) FROM work_queue WHERE true GROUP BY organization_id
ON CONFLICT (organization_id) DO UPDATE SET due_at = excluded.due_at;
CREATE INDEX last_claims_by_turn ON last_claims (claimed_at, due_at) WHERE due_at IS NOT NULL;
