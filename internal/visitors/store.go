package visitors

import (
	"context"
	"fmt"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/batch"
	"coatcheck/internal/cart"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store is a session store around the one in Postgres, for pages. There the
// session's row lies beside those that it refers to, so one statement finds
// them all: the session for the middleware, and, as its luggage, the visitor
// for the page. Any other request has its session looked up as before.
type Store struct {
	*pgstore.Joined
	db    *pgxpool.Pool
	joint *batch.Loader[sessions.Key, arrival]
}

var _ sessions.Store = (*Store)(nil)

// Around wraps a store. A look-up that takes longer than limit fails.
func Around(st *pgstore.Joined, db *pgxpool.Pool, limit time.Duration) *Store {
	s := &Store{Joined: st, db: db}
	s.joint = batch.New(limit, s.load)
	return s
}

// An arrival is a session with its visitor.
type arrival struct {
	session sessions.Session
	visitor Visitor
}

// Load finds a session, and leaves its visitor in the luggage.
func (st *Store) Load(ctx context.Context, k sessions.Key) (sessions.Session, error) {
	with := luggageFrom(ctx)
	if with == nil {
		return st.Joined.Load(ctx, k)
	}
	a, ok, err := st.joint.Load(ctx, k)
	if err != nil {
		return sessions.Session{}, fmt.Errorf("load session: %w", err)
	}
	if !ok {
		return sessions.Session{}, sessions.ErrNotFound
	}
	with.of, with.visitor = a.session.Refs, a.visitor
	return a.session, nil
}

func (st *Store) load(ctx context.Context, keys []sessions.Key) (map[sessions.Key]arrival, error) {
	rows, err := st.db.Query(ctx, `
		SELECT `+pgstore.Columns+`, s.key,
		       coalesce(u.id, 0), coalesce(u.email, ''), coalesce(u.name, ''), coalesce(u.role, ''), i.products, i.quantities
		FROM sessions s
		LEFT JOIN users u ON u.id = s.user_id AND u.disabled_at IS NULL
		LEFT JOIN LATERAL (
			SELECT array_agg(product_id) AS products, array_agg(quantity) AS quantities
			FROM cart_items WHERE cart_id = s.cart_id
		) i ON true
		WHERE s.key = ANY ($1)`, pgstore.Keys(keys))
	if err != nil {
		return nil, err
	}
	found := make(map[sessions.Key]arrival, len(keys))
	var s sessions.Session
	var key []byte
	var u auth.User
	var products, quantities []int64
	_, err = pgx.ForEachRow(rows, append(pgstore.Into(&s), &key, &u.ID, &u.Email, &u.Name, &u.Role, &products, &quantities), func() error {
		items := make([]cart.Item, len(products))
		for i := range items {
			items[i] = cart.Item{ProductID: products[i], Quantity: int(quantities[i])}
		}
		cart.Sort(items)
		found[sessions.Key(key)] = arrival{pgstore.InUTC(s), Visitor{u, items}}
		return nil
	})
	return found, err
}

// luggage is what a session's look-up has brought along.
type luggage struct {
	of      sessions.Refs
	visitor Visitor
}

type luggageContextKey struct{}

func luggageFrom(ctx context.Context) *luggage {
	with, _ := ctx.Value(luggageContextKey{}).(*luggage)
	return with
}

// broughtAlong gives the visitor that the request's session has brought along;
// that of no session is nobody.
func broughtAlong(ctx context.Context, refs sessions.Refs) (Visitor, bool) {
	if with := luggageFrom(ctx); with != nil && with.of == refs {
		return with.visitor, true
	}
	return Visitor{}, refs == sessions.Refs{}
}

// WithLuggage makes room for a visitor in the context of a request that changes
// nothing.
func WithLuggage(ctx context.Context) context.Context {
	return context.WithValue(ctx, luggageContextKey{}, &luggage{})
}
