-- A save writes each page it touches to the log. With a rowid a record fits into one; and of the indexes only one has to
-- follow when tokens are refreshed.
CREATE TABLE token_store_records_with_rowid (
    id               TEXT PRIMARY KEY NOT NULL,
    owner            TEXT NOT NULL,
    kind             TEXT NOT NULL,
    provider_account TEXT,
    provider_user    TEXT,
    display_name     TEXT,
    email            TEXT,
    status           TEXT NOT NULL,
    status_reason    TEXT,
    scopes           TEXT NOT NULL,
    attributes       TEXT NOT NULL DEFAULT '{}',
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    expires_at       INTEGER,
    sealed           TEXT,
    generation       INTEGER NOT NULL
) STRICT;

INSERT INTO token_store_records_with_rowid
SELECT id, owner, kind, provider_account, provider_user, display_name, email, status, status_reason, scopes, attributes,
       created_at, updated_at, expires_at, sealed, generation
FROM token_store_records;

DROP TABLE token_store_records;
ALTER TABLE token_store_records_with_rowid RENAME TO token_store_records;

CREATE INDEX token_store_records_owner ON token_store_records (owner, kind);
CREATE INDEX token_store_records_provider ON token_store_records (provider_account, provider_user);
CREATE INDEX token_store_records_status ON token_store_records (status);
CREATE INDEX token_store_records_kind ON token_store_records (kind);
CREATE INDEX token_store_records_expiry ON token_store_records (expires_at, kind);
