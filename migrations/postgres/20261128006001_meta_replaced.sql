-- The mark of the master key is replaced when the master key is.

GRANT UPDATE ON meta TO fanfare_app;
