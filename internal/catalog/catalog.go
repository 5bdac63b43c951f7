// Package catalog knows what hangs on the rail: the products and how many of
// each are left. It writes the table products.
package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func scan(row pgx.CollectableRow) (p Product, err error) {
	err = row.Scan(&p.ID, &p.Slug, &p.Name, &p.Category, &p.Description, &p.Price, &p.Stock)
	return p, err
}

// Sale is a number of pieces of one product.
type Sale struct {
	ProductID int64
	Quantity  int
}

// Take takes the pieces of every sale out of the stock, and reports whether
// there were enough of all. If not, the caller must roll tx back.
//
// The products are taken in the order of their IDs, so that two buyers of the
// same coats wait for each other instead of blocking each other.
func Take(ctx context.Context, tx pgx.Tx, sales []Sale) (enough bool, err error) {
	sales = slices.SortedFunc(slices.Values(sales), func(a, b Sale) int { return cmp.Compare(a.ProductID, b.ProductID) })
	for _, s := range sales {
		tag, err := tx.Exec(ctx, `
			UPDATE products SET stock = stock - $2 WHERE id = $1 AND stock >= $2`, s.ProductID, s.Quantity)
		if err != nil {
			return false, fmt.Errorf("take %d of product %d: %w", s.Quantity, s.ProductID, err)
		}
		if tag.RowsAffected() == 0 {
			return false, nil
		}
	}
	return true, nil
}

// Seed hangs the shop's products on the rail. Those that are there already
// stay as they are, with the stock that is left of them.
func Seed(ctx context.Context, db *pgxpool.Pool) error {
	b := &pgx.Batch{}
	for _, p := range seed {
		b.Queue(`
			INSERT INTO products (slug, name, category, description, price_cents, stock)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (slug) DO NOTHING`, p.Slug, p.Name, p.Category, p.Description, p.Price, p.Stock)
	}
	if err := db.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("seed products: %w", err)
	}
	return nil
}
