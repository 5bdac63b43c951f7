-- +goose Up
-- The keys of sessions that have moved to a new one. They open nothing. A
-- request that set out with the old ticket while the new one was on its way is
-- known by them, and given no ticket that would overwrite the new one. They
-- are of use for a minute, and swept after that.
CREATE TABLE moved_sessions (
    key bytea       PRIMARY KEY CHECK (octet_length(key) = 32),
    at  timestamptz NOT NULL
);

-- +goose Down
DROP TABLE moved_sessions;
