package pgstore

import (
	"context"
	"fmt"
	"time"

	"coatcheck/internal/batch"
	"coatcheck/internal/sessions"

	"github.com/jackc/pgx/v5"
)

// Joined is a Store around a Store. It looks sessions up for several requests
// by one statement: those that come while an earlier look-up is under way go
// together. It keeps none; see package batch.
type Joined struct {
	*Store
	loads *batch.Loader[sessions.Key, sessions.Session]
}

var _ sessions.Store = (*Joined)(nil)

// Join wraps a store. A look-up that takes longer than limit fails.
func Join(st *Store, limit time.Duration) *Joined {
	return &Joined{st, batch.New(limit, st.loadAll)}
}

// Load is a share in one look-up by primary keys.
func (j *Joined) Load(ctx context.Context, k sessions.Key) (sessions.Session, error) {
	s, ok, err := j.loads.Load(ctx, k)
	if err != nil {
		return sessions.Session{}, fmt.Errorf("load session: %w", err)
	}
	if !ok {
		return sessions.Session{}, sessions.ErrNotFound
	}
	return s, nil
}

func (st *Store) loadAll(ctx context.Context, keys []sessions.Key) (map[sessions.Key]sessions.Session, error) {
	rows, err := st.db.Query(ctx, `
		SELECT `+Columns+`, s.key FROM sessions s WHERE key = ANY ($1)`, Keys(keys))
	if err != nil {
		return nil, err
	}
	found := make(map[sessions.Key]sessions.Session, len(keys))
	var s sessions.Session
	var key []byte
	_, err = pgx.ForEachRow(rows, append(Into(&s), &key), func() error {
		found[sessions.Key(key)] = InUTC(s)
		return nil
	})
	return found, err
}
