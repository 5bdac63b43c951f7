-- +goose Up
-- Each shop keeps the list of products, and reads it anew when it hears that
-- something about them has changed. A transaction is heard of when it commits.
-- +goose StatementBegin
CREATE FUNCTION tell_of_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('products', '');
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON products
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_products();

-- +goose Down
DROP TRIGGER tell ON products;
DROP FUNCTION tell_of_products;
