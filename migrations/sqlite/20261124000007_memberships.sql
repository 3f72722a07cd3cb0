-- Who is a member of which audience. `run_id` is the run that added the member.

CREATE TABLE audience_list_memberships (
    organization_id TEXT    NOT NULL,
    audience_id     TEXT    NOT NULL,
    consumer_id     TEXT    NOT NULL,
    run_id          TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, audience_id, consumer_id),
    FOREIGN KEY (organization_id, audience_id) REFERENCES audiences (organization_id, id),
    FOREIGN KEY (organization_id, consumer_id) REFERENCES consumers (organization_id, id)
) STRICT, WITHOUT ROWID;
