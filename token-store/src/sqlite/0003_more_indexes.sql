CREATE INDEX token_store_records_status ON token_store_records (status);
CREATE INDEX token_store_records_expiry_of_all ON token_store_records (expires_at);
