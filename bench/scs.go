package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/pgxstore"
	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func newSCS() *scs.SessionManager {
	m := scs.New()
	m.IdleTimeout, m.Lifetime = 30*time.Minute, 12*time.Hour // the shop's
	return m
}

// scsHandler wraps a peer's pages: scs looks the session up before the handler
// runs, and because of the idle timeout writes it after.
func scsHandler(db *pgxpool.Pool) (http.Handler, error) {
	m := newSCS()
	m.Store = pgxstore.New(db)
	pages, err := newPages(db, func(w http.ResponseWriter, r *http.Request) (refs, error) {
		return refs{m.GetInt64(r.Context(), "user"), m.GetInt64(r.Context(), "cart")}, nil
	})
	if err != nil {
		return nil, err
	}
	return m.LoadAndSave(pages), nil
}

func scsToken(visitor int) string { return "scs" + shopID(visitor)[3:] }

// tableOfSCS is what pgxstore's documentation asks for. The shop's has the same
// name, so this one is in a schema of its own.
const tableOfSCS = `
	CREATE SCHEMA scs;
	CREATE TABLE scs.sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL);
	CREATE INDEX sessions_expiry_idx ON scs.sessions (expiry);`

// fillSCS files sessions of scs's.
func fillSCS(ctx context.Context, db copier, visitors int) error {
	codec, now := newSCS().Codec, time.Now()
	_, err := db.CopyFrom(ctx, pgx.Identifier{"scs", "sessions"}, []string{"token", "data", "expiry"},
		pgx.CopyFromSlice(visitors, func(i int) ([]any, error) {
			n := i + 1
			data, err := codec.Encode(now.Add(12*time.Hour), map[string]any{"user": int64(n), "cart": int64(n)})
			return []any{scsToken(n), data, now.Add(time.Hour)}, err
		}))
	if err != nil {
		return fmt.Errorf("sessions of scs: %w", err)
	}
	return nil
}
