-- +goose Up
-- What happened to sessions, and around them: the record outlives them. It
-- names sessions by their handles, never by ID or key.
--
-- Browser and address are here, not in the session: they are what was true at
-- the sign-in, and nothing that the shop acts on.
CREATE TABLE session_events (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    kind     text        NOT NULL,
    session  text        NOT NULL DEFAULT '',
    previous text        NOT NULL DEFAULT '',
    user_id  bigint,
    done_by  text        NOT NULL DEFAULT '',
    address  text        NOT NULL DEFAULT '',
    browser  text        NOT NULL DEFAULT ''
);

CREATE INDEX session_events_of_session ON session_events (session);
CREATE INDEX session_events_of_user ON session_events (user_id, id) WHERE user_id IS NOT NULL;

-- A record is added to, and after a time forgotten. It is never rewritten.
-- +goose StatementBegin
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'session_events is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER append_only BEFORE UPDATE ON session_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- +goose Down
DROP TABLE session_events;
DROP FUNCTION refuse_rewriting;
