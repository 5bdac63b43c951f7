-- +goose Up
-- When an administrator disabled the account; null for one that is in use.
ALTER TABLE users ADD COLUMN disabled_at timestamptz;

-- +goose Down
ALTER TABLE users DROP COLUMN disabled_at;
