// Package visitors finds out who is looking at a page: the user that a session
// refers to, and what is in the cart.
//
// A session says only "user 1, cart 7". Names, roles and quantities are looked
// up at each request from where they live, so they are never out of date.
package visitors

import (
	"context"
	"fmt"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/batch"
	"coatcheck/internal/cart"
	"coatcheck/internal/sessions"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Visitor is who is looking. The zero Visitor is a stranger.
type Visitor struct {
	User  auth.User // zero for a guest
	Items []cart.Item
}

// Visitors looks visitors up.
type Visitors struct {
	db    *pgxpool.Pool
	joint *batch.Loader[sessions.Refs, Visitor]
}

// New gives the visitors of a migrated database. A look-up that takes longer
// than limit fails.
func New(db *pgxpool.Pool, limit time.Duration) *Visitors {
	v := &Visitors{db: db}
	v.joint = batch.New(limit, func(ctx context.Context, all []sessions.Refs) (map[sessions.Refs]Visitor, error) {
		return v.find(ctx, all)
	})
	return v
}

// Find gives the visitor that a session refers to. A user who does not exist, or
// is disabled, is the zero User. If the session's look-up has brought the
// visitor along (see [Store]), that is the answer; otherwise the look-up is
// shared with those of others that come at the same time.
func (v *Visitors) Find(ctx context.Context, refs sessions.Refs) (Visitor, error) {
	if found, ok := broughtAlong(ctx, refs); ok {
		return found, nil
	}
	found, _, err := v.joint.Load(ctx, refs)
	if err != nil {
		return Visitor{}, fmt.Errorf("look up the visitor: %w", err)
	}
	return found, nil
}

// FindWith is Find for a page that shows more: each of queue adds its queries to
// one batch, which is one round trip.
func (v *Visitors) FindWith(ctx context.Context, refs sessions.Refs, queue ...func(*pgx.Batch)) (Visitor, error) {
	if found, ok := broughtAlong(ctx, refs); ok {
		_, err := v.find(ctx, nil, queue...)
		return found, err
	}
	found, err := v.find(ctx, []sessions.Refs{refs}, queue...)
	return found[refs], err
}

func (v *Visitors) find(ctx context.Context, all []sessions.Refs, queue ...func(*pgx.Batch)) (map[sessions.Refs]Visitor, error) {
	userIDs, cartIDs := make([]int64, 0, len(all)), make([]int64, 0, len(all))
	for _, refs := range all {
		if refs.UserID != 0 {
			userIDs = append(userIDs, refs.UserID)
		}
		if refs.CartID != 0 {
			cartIDs = append(cartIDs, refs.CartID)
		}
	}
	users, carts := make(map[int64]auth.User, len(all)), make(map[int64][]cart.Item, len(all))
	b := &pgx.Batch{}
	if len(userIDs) > 0 {
		auth.QueueUsers(b, userIDs, users)
	}
	if len(cartIDs) > 0 {
		cart.QueueItems(b, cartIDs, carts)
	}
	for _, q := range queue {
		q(b)
	}
	if b.Len() > 0 {
		if err := v.db.SendBatch(ctx, b).Close(); err != nil {
			return nil, err
		}
	}
	found := make(map[sessions.Refs]Visitor, len(all))
	for _, refs := range all {
		found[refs] = Visitor{users[refs.UserID], carts[refs.CartID]}
	}
	return found, nil
}
