-- +goose Up
-- One row a session: the coat room. It holds references and deadlines, and
-- nothing that describes a person or a thing.
--
-- key is the SHA-256 of the ID in the browser's cookie, so a copy of this
-- table opens nobody's session.
--
-- user_id and cart_id are no foreign keys: a session may live in another
-- store than the shop's tables, so the shop must cope with a reference that
-- leads nowhere, and does.
--
-- A touch rewrites idle_until and nothing else. No index covers it, and each
-- page keeps a fifth of its room free, so Postgres can put the new version
-- of the row beside the old one and leave every index alone (a HOT update).
CREATE TABLE sessions (
    key        bytea       PRIMARY KEY CHECK (octet_length(key) = 32),
    handle     text        NOT NULL,
    user_id    bigint,
    cart_id    bigint,
    created_at timestamptz NOT NULL,
    idle_until timestamptz NOT NULL,
    until      timestamptz NOT NULL
) WITH (fillfactor = 80);

-- For "your sessions" and for ending all of a user's at once.
CREATE INDEX sessions_of_user ON sessions (user_id) WHERE user_id IS NOT NULL;

-- +goose Down
DROP TABLE sessions;
