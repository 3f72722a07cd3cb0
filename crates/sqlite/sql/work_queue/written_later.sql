SELECT EXISTS (SELECT 1 FROM work_queue WHERE written_at > $1 + $2)
    OR EXISTS (SELECT 1 FROM last_claims WHERE claimed_at > $1 + $2) AS "is_later!: bool"
