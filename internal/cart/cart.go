// Package cart keeps what visitors want to buy. A guest's cart belongs to
// whoever holds the session that refers to it; at sign-in it is merged into
// the user's. It writes the tables carts and cart_items.
package cart

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"coatcheck/internal/batch"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Carts is the rack of carts.
type Carts struct {
	db        *pgxpool.Pool
	additions *batch.Loader[*addition, bool] // nil: each is committed by itself
}

// New gives the carts of a migrated database.
func New(db *pgxpool.Pool) *Carts { return &Carts{db: db} }

// Reasons not to put something into a cart. In each case nothing was changed.
var (
	ErrNoProduct = errors.New("no such product")
	ErrTooMany   = fmt.Errorf("more than %d of one product", MaxQuantity)
	ErrShort     = errors.New("not enough in stock")
	ErrNoCart    = errors.New("the cart is gone") // merged into a user's, or thrown away
)

// Item is one product in a cart, as a reference.
type Item struct {
	ProductID int64
	Quantity  int
}

// QueueItems adds to a batch what is in some carts. An empty cart has no entry.
func QueueItems(b *pgx.Batch, cartIDs []int64, into map[int64][]Item) {
	b.Queue(`
		SELECT cart_id, product_id, quantity FROM cart_items
		WHERE cart_id = ANY ($1)`, cartIDs).Query(func(rows pgx.Rows) error {
		var cartID int64
		var i Item
		_, err := pgx.ForEachRow(rows, []any{&cartID, &i.ProductID, &i.Quantity}, func() error {
			into[cartID] = append(into[cartID], i)
			return nil
		})
		for _, items := range into {
			Sort(items)
		}
		return err
	})
}

// Sort puts items into the order in which a cart shows them.
func Sort(items []Item) {
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.ProductID, b.ProductID) })
}

// Pieces is how many pieces some items are.
func Pieces(items []Item) (pieces int) {
	for _, i := range items {
		pieces += i.Quantity
	}
	return pieces
}

// QueueLines adds a cart's lines to a batch.
func QueueLines(b *pgx.Batch, cartID int64, into *[]Line) {
	b.Queue(selectLines, cartID).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, scanLine)
		return err
	})
}

const selectLines = `
	SELECT p.id, p.slug, p.name, p.price_cents, i.quantity, p.stock
	FROM cart_items i JOIN products p ON p.id = i.product_id
	WHERE i.cart_id = $1 ORDER BY p.id`

func scanLine(row pgx.CollectableRow) (l Line, err error) {
	err = row.Scan(&l.ProductID, &l.Slug, &l.Name, &l.Price, &l.Quantity, &l.Stock)
	return l, err
}

// Start makes a guest's cart with its first item, and gives the cart's ID.
func (c *Carts) Start(ctx context.Context, slug string, quantity int, now time.Time) (id int64, err error) {
	err = pgx.BeginFunc(ctx, c.db, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO carts (created_at) VALUES ($1) RETURNING id`, now).Scan(&id)
		if err != nil {
			return fmt.Errorf("make cart: %w", err)
		}
		return add(ctx, tx, id, slug, quantity)
	})
	return id, err
}

// Add puts more of a product into a cart: quantity comes on top of what is
// there. It returns ErrNoProduct, ErrTooMany, ErrShort or ErrNoCart if that
// cannot be.
func (c *Carts) Add(ctx context.Context, cartID int64, slug string, quantity int) error {
	if c.additions != nil {
		added, _, err := c.additions.Load(ctx, &addition{ctx, cartID, slug, quantity})
		if added || err != nil {
			return err
		}
	}
	return add(ctx, c.db, cartID, slug, quantity)
}

// Set sets how many of a product are in a cart; 0 takes it out. Its errors are
// those of Add.
func (c *Carts) Set(ctx context.Context, cartID int64, slug string, quantity int) error {
	if quantity == 0 {
		return c.remove(ctx, cartID, slug)
	}
	tag, err := c.db.Exec(ctx, `
		INSERT INTO cart_items (cart_id, product_id, quantity)
		SELECT $1, id, $3 FROM products WHERE slug = $2 AND least(stock, $4) >= $3
		ON CONFLICT (cart_id, product_id) DO UPDATE SET quantity = excluded.quantity`,
		cartID, slug, quantity, MaxQuantity)
	if err != nil || tag.RowsAffected() == 0 {
		return refused(ctx, c.db, err, cartID, slug, quantity)
	}
	return nil
}

func (c *Carts) remove(ctx context.Context, cartID int64, slug string) error {
	tag, err := c.db.Exec(ctx, `
		DELETE FROM cart_items i USING products p
		WHERE i.cart_id = $1 AND p.slug = $2 AND p.id = i.product_id`, cartID, slug)
	if err != nil {
		return fmt.Errorf("take %s out of cart %d: %w", slug, cartID, err)
	}
	if tag.RowsAffected() == 0 { // it was out already, or there is no such thing
		_, err = stock(ctx, c.db, slug)
	}
	return err
}

// add is one statement, so that additions sent at once all count.
func add(ctx context.Context, db querier, cartID int64, slug string, quantity int) error {
	tag, err := db.Exec(ctx, addSQL, cartID, slug, quantity, MaxQuantity)
	if err != nil || tag.RowsAffected() == 0 {
		return refused(ctx, db, err, cartID, slug, quantity)
	}
	return nil
}

// addSQL adds to a line, or makes one. The second part alone would do both; but it
// locks a line before it adds to it, and to note that lock in the write-ahead log
// takes as much room again as the addition. So it is left to those who make the
// same line at the same moment.
const addSQL = `
	WITH more AS (
		UPDATE cart_items i SET quantity = i.quantity + $3 FROM products p
		WHERE p.slug = $2 AND i.cart_id = $1 AND i.product_id = p.id AND i.quantity + $3 <= least(p.stock, $4)
		RETURNING true
	), new AS (
		INSERT INTO cart_items AS i (cart_id, product_id, quantity)
		SELECT $1, id, $3 FROM products WHERE slug = $2 AND least(stock, $4) >= $3 AND NOT EXISTS (SELECT FROM more)
		ON CONFLICT (cart_id, product_id) DO UPDATE SET quantity = i.quantity + excluded.quantity
		WHERE i.quantity + excluded.quantity <= least($4, (SELECT stock FROM products WHERE id = i.product_id))
		RETURNING true
	)
	SELECT FROM more UNION ALL SELECT FROM new`

// refused says why quantity pieces of a product were not put into a cart: the
// statement failed with err, or, if err is nil, found nothing that it may do.
func refused(ctx context.Context, db querier, err error, cartID int64, slug string, quantity int) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == pgerrcode.ForeignKeyViolation {
		return ErrNoCart
	}
	if err != nil {
		return fmt.Errorf("put %d of %s into cart %d: %w", quantity, slug, cartID, err)
	}
	left, err := stock(ctx, db, slug)
	switch {
	case err != nil:
		return err
	case left >= MaxQuantity:
		return ErrTooMany // the stock was not the limit
	}
	return ErrShort
}

func stock(ctx context.Context, db querier, slug string) (pieces int, err error) {
	err = db.QueryRow(ctx, `SELECT stock FROM products WHERE slug = $1`, slug).Scan(&pieces)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, ErrNoProduct
	}
	if err != nil {
		return 0, fmt.Errorf("look up %s: %w", slug, err)
	}
	return pieces, nil
}

// querier is a pool or a transaction.
type querier interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
	QueryRow(context.Context, string, ...any) pgx.Row
}
