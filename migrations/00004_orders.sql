-- +goose Up
CREATE TABLE orders (
    number      bigint GENERATED ALWAYS AS IDENTITY (START WITH 1001) PRIMARY KEY,
    user_id     bigint      NOT NULL REFERENCES users (id),
    -- Chosen when the checkout form is shown; sending the form twice finds
    -- the order that the first time made.
    order_key   text        NOT NULL,
    name        text        NOT NULL,
    address     text        NOT NULL,
    total_cents bigint      NOT NULL CHECK (total_cents > 0),
    created_at  timestamptz NOT NULL,
    UNIQUE (user_id, order_key)
);

-- Name and price are copied: an order says what was bought, at the price of
-- the day, whatever becomes of the product.
CREATE TABLE order_items (
    order_number bigint  NOT NULL REFERENCES orders (number) ON DELETE CASCADE,
    product_id   bigint  NOT NULL REFERENCES products (id),
    name         text    NOT NULL,
    price_cents  bigint  NOT NULL CHECK (price_cents > 0),
    quantity     integer NOT NULL CHECK (quantity BETWEEN 1 AND 20),
    PRIMARY KEY (order_number, product_id)
);

-- +goose Down
DROP TABLE order_items;
DROP TABLE orders;
