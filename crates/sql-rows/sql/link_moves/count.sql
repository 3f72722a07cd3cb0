INSERT INTO link_moves AS l (organization_id, moves) VALUES ($1, 1)
ON CONFLICT (organization_id) DO UPDATE SET moves = l.moves + 1
