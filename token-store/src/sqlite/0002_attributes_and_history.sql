ALTER TABLE token_store_records ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';  -- a JSON object of strings

CREATE TABLE token_store_history (
    number     INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    owner      TEXT NOT NULL,
    at         INTEGER NOT NULL,
    event      TEXT NOT NULL,
    status     TEXT NOT NULL,
    reason     TEXT
) STRICT;

CREATE INDEX token_store_history_connection ON token_store_history (connection, number);
CREATE INDEX token_store_history_owner ON token_store_history (owner);
