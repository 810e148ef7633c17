-- Ids are compared byte by byte, whatever language the database speaks.
CREATE TABLE token_store_records (
    id               TEXT COLLATE "C" PRIMARY KEY,
    owner            TEXT COLLATE "C" NOT NULL,
    kind             TEXT COLLATE "C" NOT NULL,
    provider_account TEXT COLLATE "C",
    provider_user    TEXT COLLATE "C",
    display_name     TEXT,
    email            TEXT,
    status           TEXT COLLATE "C" NOT NULL,
    status_reason    TEXT,
    scopes           TEXT NOT NULL,    -- a JSON array of strings
    attributes       TEXT NOT NULL,    -- a JSON object of strings
    created_at       BIGINT NOT NULL,  -- microseconds since 1970, as all times here
    updated_at       BIGINT NOT NULL,
    expires_at       BIGINT,
    sealed           TEXT,             -- v1.<key id>.<nonce>.<ciphertext>
    generation       BIGINT NOT NULL
);

CREATE INDEX token_store_records_owner ON token_store_records (owner, id);
CREATE INDEX token_store_records_provider ON token_store_records (provider_account, provider_user, id);
CREATE INDEX token_store_records_status ON token_store_records (status, id);
CREATE INDEX token_store_records_expiry ON token_store_records (kind, expires_at);
CREATE INDEX token_store_records_expiry_of_all ON token_store_records (expires_at);

-- A row stays when its lease is over, so that the next fence is greater.
CREATE TABLE token_store_leases (
    key        TEXT COLLATE "C" PRIMARY KEY,
    holder     TEXT COLLATE "C",  -- NULL: released
    fence      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE token_store_history (
    number     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection TEXT COLLATE "C" NOT NULL,
    owner      TEXT COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    event      TEXT NOT NULL,
    status     TEXT NOT NULL,
    reason     TEXT
);

CREATE INDEX token_store_history_connection ON token_store_history (connection, number);
CREATE INDEX token_store_history_owner ON token_store_history (owner);
