package cart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Merge gives the ID of the user's cart, which it makes if there is none, and
// moves what is in a guest's cart into it; guestCartID is 0 if there is no
// such cart. Quantities add up, to MaxQuantity and to the stock at most;
// capped reports that some of the guest's pieces had to stay behind.
//
// The guest's cart stays, empty, for as long as a session refers to it: when
// that has ended, call Retire.
func (c *Carts) Merge(ctx context.Context, guestCartID, userID int64, now time.Time) (cartID int64, capped bool, err error) {
	err = pgx.BeginFunc(ctx, c.db, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO carts (user_id, created_at) VALUES ($1, $2)
			ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id
			RETURNING id`, userID, now).Scan(&cartID)
		if err != nil {
			return fmt.Errorf("find cart of user %d: %w", userID, err)
		}
		if guestCartID == 0 {
			return nil
		}
		capped, err = move(ctx, tx, guestCartID, cartID)
		return err
	})
	return cartID, capped, err
}

// Retire throws away a guest's cart that was merged into another one, and
// moves what was added to it meanwhile. From then on an addition finds no
// cart, and says so: none is answered with success and lost.
func (c *Carts) Retire(ctx context.Context, guestCartID, cartID int64) error {
	if guestCartID == 0 {
		return nil
	}
	return pgx.BeginFunc(ctx, c.db, func(tx pgx.Tx) error {
		if _, err := move(ctx, tx, guestCartID, cartID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM carts WHERE id = $1`, guestCartID); err != nil {
			return fmt.Errorf("delete cart %d: %w", guestCartID, err)
		}
		return nil
	})
}

// move moves the items of one cart to another, as far as they fit.
func move(ctx context.Context, tx pgx.Tx, from, to int64) (capped bool, err error) {
	if found, err := lock(ctx, tx, from); !found || err != nil {
		return false, err
	}
	err = tx.QueryRow(ctx, `
		WITH moving AS (
			SELECT product_id, quantity, least(stock, $3) AS most
			FROM cart_items JOIN products ON id = product_id WHERE cart_id = $1
		), moved AS (
			INSERT INTO cart_items AS i (cart_id, product_id, quantity)
			SELECT $2, product_id, least(quantity, most) FROM moving WHERE most > 0
			ON CONFLICT (cart_id, product_id) DO UPDATE
			SET quantity = least(i.quantity + excluded.quantity, $3, (SELECT stock FROM products WHERE id = i.product_id))
		)
		SELECT coalesce(bool_or(m.quantity + coalesce(i.quantity, 0) > most), false)
		FROM moving m LEFT JOIN cart_items i ON i.product_id = m.product_id AND i.cart_id = $2`,
		from, to, MaxQuantity).Scan(&capped)
	if err != nil {
		return false, fmt.Errorf("move the items of cart %d to %d: %w", from, to, err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM cart_items WHERE cart_id = $1`, from); err != nil {
		return false, fmt.Errorf("empty cart %d: %w", from, err)
	}
	return capped, nil
}

// lock makes every other change of a cart wait until tx has ended. A piece
// that is being added meanwhile is either counted here or finds the cart as
// tx left it; it is not lost in between.
func lock(ctx context.Context, tx pgx.Tx, cartID int64) (found bool, err error) {
	err = tx.QueryRow(ctx, `SELECT true FROM carts WHERE id = $1 FOR UPDATE`, cartID).Scan(&found)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		// The cart's row holds up new lines, its lines' rows more of the same.
		_, err = tx.Exec(ctx, `SELECT FROM cart_items WHERE cart_id = $1 ORDER BY product_id FOR UPDATE`, cartID)
	}
	if err != nil {
		return false, fmt.Errorf("lock cart %d: %w", cartID, err)
	}
	return true, nil
}

// Take takes everything out of a cart and gives what it was.
func Take(ctx context.Context, tx pgx.Tx, cartID int64) ([]Line, error) {
	if _, err := lock(ctx, tx, cartID); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, selectLines, cartID)
	if err != nil {
		return nil, fmt.Errorf("read cart %d: %w", cartID, err)
	}
	lines, err := pgx.CollectRows(rows, scanLine)
	if err != nil {
		return nil, fmt.Errorf("read cart %d: %w", cartID, err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM cart_items WHERE cart_id = $1`, cartID); err != nil {
		return nil, fmt.Errorf("empty cart %d: %w", cartID, err)
	}
	return lines, nil
}

// SweepGuests throws away guests' carts that were begun before the given time,
// a thousand at a time, and says how many. A cart that is older than any
// session can be is one that nobody holds the ticket for.
func (c *Carts) SweepGuests(ctx context.Context, before time.Time) (removed int, err error) {
	const step = 1000
	for {
		tag, err := c.db.Exec(ctx, `
			DELETE FROM carts WHERE id = ANY (ARRAY(
				SELECT id FROM carts WHERE user_id IS NULL AND created_at < $1
				ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, before, step)
		if err != nil {
			return removed, fmt.Errorf("sweep guests' carts: %w", err)
		}
		removed += int(tag.RowsAffected())
		if tag.RowsAffected() < step {
			return removed, nil
		}
	}
}
