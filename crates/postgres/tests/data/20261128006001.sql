INSERT INTO meta (name, value) VALUES ('master_key_mark', '\x02');
