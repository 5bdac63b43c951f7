// Package pgstore keeps sessions, and the record of what happened to them, in
// PostgreSQL: they survive a restart of the shop and of the database, and
// every server sees the same ones.
package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coatcheck/internal/sessions"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store is a sessions.Store on the table sessions. What it does to a session
// and the line about it in session_events are one statement, so one does not
// come without the other.
type Store struct{ db *pgxpool.Pool }

var _ sessions.Store = (*Store)(nil)

// New gives a store on a migrated database.
func New(db *pgxpool.Pool) *Store { return &Store{db} }

// Create inserts. A key that is in use is an error, never an overwrite.
func (st *Store) Create(ctx context.Context, k sessions.Key, s sessions.Session, e sessions.Event) error {
	_, err := st.db.Exec(ctx, `
		WITH born AS (
			INSERT INTO sessions (key, handle, user_id, cart_id, created_at, idle_until, until)
			VALUES ($1, $2, nullif($3::bigint, 0), nullif($4::bigint, 0), $5, $6, $7)
			RETURNING handle, user_id
		)
		INSERT INTO session_events (at, kind, session, user_id, address, browser)
		SELECT $8, $9, handle, user_id, $10, $11 FROM born`,
		k[:], s.Handle, s.UserID, s.CartID, s.CreatedAt, s.IdleUntil, s.Until,
		e.At, e.Kind, e.Address, e.Browser)
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	return nil
}

// Load is one look-up by primary key.
func (st *Store) Load(ctx context.Context, k sessions.Key) (sessions.Session, error) {
	rows, err := st.db.Query(ctx, `
		SELECT `+Columns+` FROM sessions s WHERE key = $1`, k[:])
	if err != nil {
		return sessions.Session{}, fmt.Errorf("load session: %w", err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, scan)
	if err == pgx.ErrNoRows {
		return sessions.Session{}, sessions.ErrNotFound
	}
	if err != nil {
		return sessions.Session{}, fmt.Errorf("load session: %w", err)
	}
	return s, nil
}

// Touch updates the row if it is still there. A deleted row stays deleted,
// because an UPDATE makes none.
func (st *Store) Touch(ctx context.Context, k sessions.Key, idleUntil time.Time) error {
	tag, err := st.db.Exec(ctx, `
		UPDATE sessions SET idle_until = greatest(idle_until, $2) WHERE key = $1`,
		k[:], idleUntil)
	if err != nil {
		return fmt.Errorf("touch session: %w", err)
	}
	return foundIf(tag.RowsAffected() == 1)
}

// Move deletes and inserts in one statement. Of two moves of one key, or a
// move and a delete, the second waits for the first's row lock, then finds
// the row gone and inserts nothing.
func (st *Store) Move(ctx context.Context, old, new sessions.Key, s sessions.Session, e sessions.Event) error {
	tag, err := st.db.Exec(ctx, `
		WITH dead AS (
			DELETE FROM sessions WHERE key = $1 RETURNING key, handle
		), left_behind AS (
			INSERT INTO moved_sessions (key, at) SELECT key, $9 FROM dead
		), born AS (
			INSERT INTO sessions (key, handle, user_id, cart_id, created_at, idle_until, until)
			SELECT $2, $3, nullif($4::bigint, 0), nullif($5::bigint, 0), $6, $7, $8 FROM dead
			RETURNING handle, user_id
		)
		INSERT INTO session_events (at, kind, session, previous, user_id, address, browser)
		SELECT $9, $10, born.handle, dead.handle, born.user_id, $11, $12 FROM born, dead`,
		old[:], new[:], s.Handle, s.UserID, s.CartID, s.CreatedAt, s.IdleUntil, s.Until,
		e.At, e.Kind, e.Address, e.Browser)
	if err != nil {
		return fmt.Errorf("move session: %w", err)
	}
	return foundIf(tag.RowsAffected() == 1)
}

// MovedAt looks for what a move has left behind.
func (st *Store) MovedAt(ctx context.Context, k sessions.Key) (at time.Time, err error) {
	err = st.db.QueryRow(ctx, `SELECT at FROM moved_sessions WHERE key = $1`, k[:]).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, sessions.ErrNotFound
	}
	if err != nil {
		return at, fmt.Errorf("look for a moved session: %w", err)
	}
	return at.UTC(), nil
}

// Delete removes the row.
func (st *Store) Delete(ctx context.Context, k sessions.Key, e sessions.Event) error {
	n, err := st.end(ctx, e, `key = $8`, k[:])
	if err != nil {
		return fmt.Errorf("delete session: %w", err)
	}
	return foundIf(n == 1)
}

// ByUser finds the rows by their index on user_id.
func (st *Store) ByUser(ctx context.Context, userID int64) ([]sessions.Session, error) {
	rows, err := st.db.Query(ctx, `
		SELECT `+Columns+` FROM sessions s WHERE user_id = $1 ORDER BY created_at DESC, handle`, userID)
	if err != nil {
		return nil, fmt.Errorf("list sessions of user %d: %w", userID, err)
	}
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("list sessions of user %d: %w", userID, err)
	}
	return list, nil
}

// Each reads the whole table.
func (st *Store) Each(ctx context.Context, f func(sessions.Session) error) error {
	rows, err := st.db.Query(ctx, `SELECT `+Columns+` FROM sessions s`)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		s, err := scan(rows)
		if err != nil {
			return fmt.Errorf("list sessions: %w", err)
		}
		if err := f(s); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	return nil
}

// DeleteHandle asks for user and handle together, so that nobody ends another
// user's session.
func (st *Store) DeleteHandle(ctx context.Context, userID int64, handle string, e sessions.Event) error {
	n, err := st.end(ctx, e, `user_id = $8 AND handle = $9`, userID, handle)
	if err != nil {
		return fmt.Errorf("delete session %s of user %d: %w", handle, userID, err)
	}
	return foundIf(n > 0)
}

// DeleteByUser removes a user's rows, or those but one while that is there.
func (st *Store) DeleteByUser(ctx context.Context, userID int64, keep sessions.Key, e sessions.Event) (n int, err error) {
	if keep == (sessions.Key{}) {
		n, err = st.end(ctx, e, `user_id = $8`, userID)
	} else {
		n, err = st.end(ctx, e, `
			user_id = $8 AND key <> $9 AND EXISTS (SELECT FROM sessions WHERE key = $9 AND user_id = $8)`,
			userID, keep[:])
	}
	if err != nil {
		return n, fmt.Errorf("delete sessions of user %d: %w", userID, err)
	}
	return n, nil
}

// DeleteOldest removes a user's rows but one and the newest others. Of two
// made in the same microsecond, each call takes the same one for the newer.
func (st *Store) DeleteOldest(ctx context.Context, userID int64, most int, keep sessions.Key, e sessions.Event) (int, error) {
	n, err := st.end(ctx, e, `
		user_id = $8 AND key <> $9 AND key NOT IN (
			SELECT key FROM sessions WHERE user_id = $8 AND key <> $9
			ORDER BY created_at DESC, key LIMIT $10 - 1)`,
		userID, keep[:], most)
	if err != nil {
		return n, fmt.Errorf("delete oldest sessions of user %d: %w", userID, err)
	}
	return n, nil
}

// DeleteAll removes every row but one.
func (st *Store) DeleteAll(ctx context.Context, keep sessions.Key, e sessions.Event) (int, error) {
	n, err := st.end(ctx, e, `key <> $8`, keep[:])
	if err != nil {
		return n, fmt.Errorf("delete all sessions: %w", err)
	}
	return n, nil
}

// end deletes the rows that a condition picks, and says how many. Whatever is
// deleted is on record, and nothing else: it is one statement. The condition's
// parameters begin at $8.
//
// All callers lock the rows in the same order, so that no two wait for each
// other. A row that one sees and cannot get has just been ended by somebody
// else, or moved to a new key that it cannot see yet. So it looks again, until
// it gets all that it sees.
func (st *Store) end(ctx context.Context, e sessions.Event, condition string, args ...any) (int, error) {
	ended := 0
	for after := []byte{}; ; {
		var seen, gone int
		var last []byte
		err := st.db.QueryRow(ctx, `
			WITH seen AS (
				SELECT key FROM sessions WHERE key > $6 AND `+condition+` ORDER BY key LIMIT $7
			), doomed AS (
				SELECT key FROM sessions WHERE key IN (SELECT key FROM seen) ORDER BY key FOR UPDATE
			), gone AS (
				DELETE FROM sessions WHERE key IN (SELECT key FROM doomed) RETURNING handle, user_id
			), recorded AS (
				INSERT INTO session_events (at, kind, session, user_id, done_by, address, browser)
				SELECT $1, $2, handle, user_id, $3, $4, $5 FROM gone
			)
			SELECT (SELECT count(*) FROM seen), (SELECT count(*) FROM gone), (SELECT key FROM seen ORDER BY key DESC LIMIT 1)`,
			append([]any{e.At, e.Kind, e.By, e.Address, e.Browser, after, endStep}, args...)...).Scan(&seen, &gone, &last)
		if err != nil {
			return ended, err
		}
		ended += gone
		switch {
		case seen == endStep:
			after = last // there may be more
		case len(after) == 0 && gone == seen:
			return ended, nil
		default:
			after = after[:0] // and once more from the start
		}
	}
}

// endStep is how many rows one statement ends at most: enough for any user,
// and for everybody's it is a step of a fraction of a second.
const endStep = 10_000

// Columns are what a query, in which the table is called s, selects of a session.
const Columns = `s.handle, coalesce(s.user_id, 0), coalesce(s.cart_id, 0), s.created_at, s.idle_until, s.until`

// Into is where a row's Columns go.
func Into(s *sessions.Session) []any {
	return []any{&s.Handle, &s.UserID, &s.CartID, &s.CreatedAt, &s.IdleUntil, &s.Until}
}

// InUTC is a session whose times are in UTC, whatever zone the driver gave them.
func InUTC(s sessions.Session) sessions.Session {
	s.CreatedAt, s.IdleUntil, s.Until = s.CreatedAt.UTC(), s.IdleUntil.UTC(), s.Until.UTC()
	return s
}

// Keys are keys as a query takes them.
func Keys(keys []sessions.Key) [][]byte {
	all := make([][]byte, len(keys))
	for i := range keys {
		all[i] = keys[i][:]
	}
	return all
}

func scan(row pgx.CollectableRow) (s sessions.Session, err error) {
	err = row.Scan(Into(&s)...)
	return InUTC(s), err
}

func foundIf(found bool) error {
	if !found {
		return sessions.ErrNotFound
	}
	return nil
}
