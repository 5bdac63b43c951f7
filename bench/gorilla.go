package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/antonlindstrom/pgstore"
	"github.com/gorilla/securecookie"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// gorillaSecret signs cookies and what is in the table.
var gorillaSecret = []byte("0123456789abcdef0123456789abcdef")

func gorillaHandler(db *pgxpool.Pool) (http.Handler, error) {
	store, err := pgstore.NewPGStoreFromPool(stdlib.OpenDBFromPool(db), gorillaSecret)
	if err != nil {
		return nil, err
	}
	store.MaxAge(30 * 60) // to be idle for as long as in the shop
	return newPages(db, func(w http.ResponseWriter, r *http.Request) (refs, error) {
		session, err := store.Get(r, "session")
		if err != nil {
			return refs{}, err
		}
		user, _ := session.Values["user"].(int64)
		cart, _ := session.Values["cart"].(int64)
		if session.IsNew {
			return refs{}, nil
		}
		return refs{user, cart}, session.Save(r, w)
	})
}

func gorillaKey(visitor int) string { return "gorilla" + shopID(visitor)[7:] }

func gorillaTicket(visitor int) string {
	value, err := securecookie.EncodeMulti("session", gorillaKey(visitor), gorillaCodecs...)
	if err != nil {
		panic(err) // a string can be encoded
	}
	return value
}

var gorillaCodecs = securecookie.CodecsFromPairs(gorillaSecret)

func fillGorilla(ctx context.Context, db *pgxpool.Pool, visitors int) error {
	if _, err := pgstore.NewPGStoreFromPool(stdlib.OpenDBFromPool(db), gorillaSecret); err != nil { // makes the table
		return err
	}
	now := time.Now()
	_, err := db.CopyFrom(ctx, pgx.Identifier{"http_sessions"}, []string{"key", "data", "created_on", "modified_on", "expires_on"},
		pgx.CopyFromSlice(visitors, func(i int) ([]any, error) {
			n := i + 1
			data, err := securecookie.EncodeMulti("session", map[any]any{"user": int64(n), "cart": int64(n)}, gorillaCodecs...)
			return []any{[]byte(gorillaKey(n)), []byte(data), now, now, now.Add(time.Hour)}, err
		}))
	if err != nil {
		return fmt.Errorf("sessions of gorilla: %w", err)
	}
	return nil
}
