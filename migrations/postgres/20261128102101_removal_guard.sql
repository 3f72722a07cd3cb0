-- What the removal threshold goes by from one pass of a source to the next: how many members its audience had when a
-- pass last succeeded (NULL: none has since this is kept), and whether a pass was held that nobody has confirmed.

ALTER TABLE sync_sources ADD COLUMN members_at_success bigint;
ALTER TABLE sync_sources ADD COLUMN removals_held boolean NOT NULL DEFAULT false;
