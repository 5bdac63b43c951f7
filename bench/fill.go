package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"coatcheck/internal/catalog"
	"coatcheck/internal/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// fill makes a shop with so many visitors, who have a session with each
// contestant.
func fill(ctx context.Context, db *pgxpool.Pool, visitors int) error {
	if _, err := postgres.Migrate(ctx, db); err != nil {
		return err
	}
	if err := open(ctx, db, visitors); err != nil {
		return err
	}
	if _, err := db.Exec(ctx, tableOfSCS); err != nil {
		return err
	}
	if err := fillSCS(ctx, db, visitors); err != nil {
		return err
	}
	if err := fillGorilla(ctx, db, visitors); err != nil {
		return err
	}
	// After a checkpoint, the first change of each page writes the page into the
	// write-ahead log whole. That is behind us when the measuring begins; and so
	// is the sorting out of what the filling has left.
	for _, sql := range []string{
		`CHECKPOINT`,
		`UPDATE cart_items SET quantity = quantity`,
		`UPDATE scs.sessions SET expiry = expiry`,
		`UPDATE http_sessions SET expires_on = expires_on`,
		`UPDATE sessions SET idle_until = idle_until`,
		`VACUUM ANALYZE`,
	} {
		if _, err := db.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// open makes the shop as it is in the beginning. Its visitors are numbered from
// 1: each has an account, a cart of the same number, with three things in it, and
// a session.
func open(ctx context.Context, db *pgxpool.Pool, visitors int) error {
	if _, err := db.Exec(ctx, `TRUNCATE products, users, carts, sessions RESTART IDENTITY CASCADE`); err != nil {
		return err
	}
	if err := catalog.Seed(ctx, db); err != nil {
		return err
	}
	for _, sql := range []string{
		`INSERT INTO users (email, name, password_hash, created_at)
		 SELECT 'visitor' || n || '@example.com', 'Visitor ' || n, '-', now() FROM generate_series(1, $1::int) n`,
		`INSERT INTO carts (user_id, created_at) SELECT n, now() FROM generate_series(1, $1::int) n`,
		`INSERT INTO cart_items (cart_id, product_id, quantity)
		 SELECT n, CASE i WHEN 0 THEN 1 ELSE 2 + (n + i) % 8 END, 1 FROM generate_series(1, $1::int) n, generate_series(0, 2) i`,
	} {
		if _, err := db.Exec(ctx, sql, visitors); err != nil {
			return err
		}
	}
	return fillShop(ctx, db, visitors, time.Now().Add(4*time.Hour))
}

// fillShop files sessions of the shop's, which are idle from the given time on.
func fillShop(ctx context.Context, db copier, visitors int, idleUntil time.Time) error {
	now := time.Now()
	_, err := db.CopyFrom(ctx, pgx.Identifier{"sessions"},
		[]string{"key", "handle", "user_id", "cart_id", "created_at", "idle_until", "until"},
		pgx.CopyFromSlice(visitors, func(i int) ([]any, error) {
			n := i + 1
			key := sha256.Sum256([]byte(shopID(n)))
			return []any{key[:], fmt.Sprintf("HANDLE%06d", n), int64(n), int64(n), now, idleUntil, now.Add(12 * time.Hour)}, nil
		}))
	return err
}

// copier is a pool or a connection.
type copier interface {
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, from pgx.CopyFromSource) (int64, error)
}
