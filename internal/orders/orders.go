// Package orders turns a cart into an order, all or nothing, and remembers
// it. It writes the tables orders and order_items.
package orders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Orders is the order book.
type Orders struct{ db *pgxpool.Pool }

// New gives the orders of a migrated database.
func New(db *pgxpool.Pool) *Orders { return &Orders{db} }

// Reasons not to place an order. In each case nothing was changed.
var (
	ErrEmpty = errors.New("the cart is empty")
	ErrShort = errors.New("not enough in stock")
)

// Checkout is what it takes to order what is in a cart.
type Checkout struct {
	UserID, CartID int64
	Key            string // chosen by the form; the same key again is the same order
	Name, Address  string
	At             time.Time
}

// Place buys everything that is in the cart, in one transaction: the cart is
// emptied, the pieces leave the stock, the order is written, or none of it
// happens. It gives the order's number.
//
// A key that the user has ordered with before gives the number of that order,
// and changes nothing: a form sent twice is one order. Both the cart's and the
// products' rows are locked, so of two checkouts at once one comes after the
// other, and neither sells what is not there.
func (o *Orders) Place(ctx context.Context, c Checkout) (number int64, err error) {
	err = pgx.BeginFunc(ctx, o.db, func(tx pgx.Tx) error {
		lines, err := cart.Take(ctx, tx, c.CartID)
		if err != nil {
			return err
		}
		number, err = find(ctx, tx, c.UserID, c.Key)
		if err != nil {
			return err
		}
		if number != 0 {
			return errPlaced
		}
		if len(lines) == 0 {
			return ErrEmpty
		}
		enough, err := catalog.Take(ctx, tx, sales(lines))
		if err != nil {
			return err
		}
		if !enough {
			return ErrShort
		}
		number, err = write(ctx, tx, c, lines)
		return err
	})
	if errors.Is(err, errPlaced) {
		return number, nil
	}
	return number, err
}

// errPlaced rolls back a checkout that was done before.
var errPlaced = errors.New("placed before")

func find(ctx context.Context, tx pgx.Tx, userID int64, key string) (number int64, err error) {
	err = tx.QueryRow(ctx, `SELECT number FROM orders WHERE user_id = $1 AND order_key = $2`, userID, key).Scan(&number)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("look for an order with that key: %w", err)
	}
	return number, nil
}

func sales(lines []cart.Line) []catalog.Sale {
	sales := make([]catalog.Sale, len(lines))
	for i, l := range lines {
		sales[i] = catalog.Sale{ProductID: l.ProductID, Quantity: l.Quantity}
	}
	return sales
}

func write(ctx context.Context, tx pgx.Tx, c Checkout, lines []cart.Line) (number int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO orders (user_id, order_key, name, address, total_cents, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) RETURNING number`,
		c.UserID, c.Key, c.Name, c.Address, cart.Total(lines), c.At).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("write order: %w", err)
	}
	b := &pgx.Batch{}
	for _, l := range lines {
		b.Queue(`
			INSERT INTO order_items (order_number, product_id, name, price_cents, quantity)
			VALUES ($1, $2, $3, $4, $5)`, number, l.ProductID, l.Name, l.Price, l.Quantity)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return 0, fmt.Errorf("write items of order %d: %w", number, err)
	}
	return number, nil
}

// QueueByUser adds a user's orders, the newest first and without their items,
// to a batch.
func QueueByUser(b *pgx.Batch, userID int64, into *[]Order) {
	b.Queue(`
		SELECT number, name, address, total_cents, created_at,
		       (SELECT sum(quantity) FROM order_items WHERE order_number = number)
		FROM orders WHERE user_id = $1 ORDER BY number DESC`, userID).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, scanOrder)
		return err
	})
}

// QueueOrder adds the look-up of one of a user's orders to a batch. If the
// user has no such order, into stays as it is, whoever else may have it.
func QueueOrder(b *pgx.Batch, userID, number int64, into *Order) {
	var items []Item
	b.Queue(`
		SELECT p.slug, i.name, i.price_cents, i.quantity
		FROM order_items i JOIN products p ON p.id = i.product_id
		WHERE i.order_number = $1 ORDER BY i.product_id`, number).Query(func(rows pgx.Rows) (err error) {
		items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Item])
		return err
	})
	b.Queue(`
		SELECT number, name, address, total_cents, created_at,
		       (SELECT sum(quantity) FROM order_items WHERE order_number = number)
		FROM orders WHERE user_id = $1 AND number = $2`, userID, number).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanOrder)
		if len(found) == 1 {
			*into = found[0]
			into.Items = items
		}
		return err
	})
}

func scanOrder(row pgx.CollectableRow) (o Order, err error) {
	err = row.Scan(&o.Number, &o.Name, &o.Address, &o.Total, &o.CreatedAt, &o.Pieces)
	o.CreatedAt = o.CreatedAt.UTC()
	return o, err
}
