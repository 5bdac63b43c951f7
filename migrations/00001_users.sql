-- +goose Up
CREATE TABLE users (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text        NOT NULL UNIQUE CHECK (email = lower(email COLLATE "C")),
    name          text        NOT NULL,
    password_hash text        NOT NULL,
    role          text        NOT NULL DEFAULT 'customer' CHECK (role IN ('customer', 'administrator')),
    created_at    timestamptz NOT NULL
);

-- Failed sign-ins, counted for each account at each address, so that a
-- guesser is slowed down and the owner, at another address, is not.
CREATE TABLE sign_in_failures (
    email    text        NOT NULL,
    address  text        NOT NULL,
    since    timestamptz NOT NULL,
    failures integer     NOT NULL,
    PRIMARY KEY (email, address)
);

-- +goose Down
DROP TABLE sign_in_failures;
DROP TABLE users;
