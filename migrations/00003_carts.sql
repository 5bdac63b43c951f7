-- +goose Up
-- A cart belongs to a user, or, while user_id is null, to whoever holds the
-- session that refers to it.
CREATE TABLE carts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL
);

-- Guests' carts are thrown away by age.
CREATE INDEX carts_of_guests ON carts (created_at) WHERE user_id IS NULL;

CREATE TABLE cart_items (
    cart_id    bigint  NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    product_id bigint  NOT NULL REFERENCES products (id),
    quantity   integer NOT NULL CHECK (quantity BETWEEN 1 AND 20),
    PRIMARY KEY (cart_id, product_id)
);

-- +goose Down
DROP TABLE cart_items;
DROP TABLE carts;
