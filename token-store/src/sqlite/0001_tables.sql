CREATE TABLE token_store_records (
    id               TEXT PRIMARY KEY NOT NULL,
    owner            TEXT NOT NULL,
    kind             TEXT NOT NULL,
    provider_account TEXT,
    provider_user    TEXT,
    display_name     TEXT,
    email            TEXT,
    status           TEXT NOT NULL,
    status_reason    TEXT,
    scopes           TEXT NOT NULL,     -- a JSON array of strings
    created_at       INTEGER NOT NULL,  -- microseconds since 1970, as all times here
    updated_at       INTEGER NOT NULL,
    expires_at       INTEGER,
    sealed           TEXT,              -- v1.<key id>.<nonce>.<ciphertext>
    generation       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX token_store_records_owner ON token_store_records (owner, kind);
CREATE INDEX token_store_records_provider ON token_store_records (provider_account, provider_user);
CREATE INDEX token_store_records_expiry ON token_store_records (kind, expires_at);

-- A row stays when its lease is over, so that the next fence is greater.
CREATE TABLE token_store_leases (
    key        TEXT PRIMARY KEY NOT NULL,
    holder     TEXT,                    -- NULL: released
    fence      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
