-- How many people each organization has asked for in checks of the present minute, as all processes count them. A
-- control table like `request_counts`.

CREATE TABLE check_counts (
    organization_id text   COLLATE "C" PRIMARY KEY,
    minute          bigint NOT NULL,
    taken           bigint NOT NULL,
    granted         bigint NOT NULL
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE ON check_counts TO fanfare_app;
