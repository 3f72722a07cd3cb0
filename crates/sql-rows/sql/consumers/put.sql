INSERT INTO consumers
   (organization_id, id, email, phone, full_name, search_text, stamps, primary_profile, primary_updated, primary_source_id,
    created_at, created_by, updated_at, updated_by, metadata)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (organization_id, id) DO UPDATE SET
   email = excluded.email, phone = excluded.phone, full_name = excluded.full_name, search_text = excluded.search_text,
   stamps = excluded.stamps, primary_profile = excluded.primary_profile, primary_updated = excluded.primary_updated,
   primary_source_id = excluded.primary_source_id, updated_at = excluded.updated_at, updated_by = excluded.updated_by,
   metadata = excluded.metadata
