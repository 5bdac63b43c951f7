-- +goose Up
CREATE TABLE products (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug        text    NOT NULL UNIQUE,
    name        text    NOT NULL,
    category    text    NOT NULL,
    description text    NOT NULL,
    price_cents bigint  NOT NULL CHECK (price_cents > 0),
    -- The check is the last line of defence: however many buyers come at
    -- once, the shop cannot sell a coat that it does not have.
    stock       integer NOT NULL CHECK (stock >= 0)
);

-- +goose Down
DROP TABLE products;
