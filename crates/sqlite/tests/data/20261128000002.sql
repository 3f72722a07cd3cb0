-- Counted by a program whose passes compare two numbers.

INSERT INTO link_moves (organization_id, moves) VALUES ('org_a', 5);
