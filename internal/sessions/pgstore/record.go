package pgstore

import (
	"context"
	"fmt"
	"time"

	"coatcheck/internal/sessions"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// What is on record beside the lives of sessions.
const (
	Refused         sessions.Kind = "sign-in refused"
	PasswordChanged sessions.Kind = "password changed"
	EmailChanged    sessions.Kind = "e-mail changed"
	RoleChanged     sessions.Kind = "role changed"
	Disabled        sessions.Kind = "account disabled"
	Enabled         sessions.Kind = "account enabled"
	AllRevoked      sessions.Kind = "everybody's sessions revoked"
)

// Record adds events that no change of a session in Postgres brings about. On a
// transaction they are on record if, and only if, that commits.
func Record(ctx context.Context, db interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
}, events ...sessions.Event) error {
	var (
		times                                           []time.Time
		users                                           []int64
		kinds, names, previous, by, addresses, browsers []string
	)
	for _, e := range events {
		times, users = append(times, e.At), append(users, e.UserID)
		kinds, names, previous = append(kinds, string(e.Kind)), append(names, e.Session), append(previous, e.Previous)
		by, addresses, browsers = append(by, e.By), append(addresses, e.Address), append(browsers, e.Browser)
	}
	_, err := db.Exec(ctx, `
		INSERT INTO session_events (at, kind, session, previous, user_id, done_by, address, browser)
		SELECT at, kind, session, previous, nullif(user_id, 0), done_by, address, browser
		FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[])
			AS e (at, kind, session, previous, user_id, done_by, address, browser)`,
		times, kinds, names, previous, users, by, addresses, browsers)
	if err != nil {
		return fmt.Errorf("record %d events, the first of them %q: %w", len(events), events[0].Kind, err)
	}
	return nil
}

const eventColumns = `at, kind, session, previous, coalesce(user_id, 0), done_by, address, browser`

func scanEvents(rows pgx.Rows, add func(sessions.Event)) error {
	for rows.Next() {
		var e sessions.Event
		if err := rows.Scan(&e.At, &e.Kind, &e.Session, &e.Previous, &e.UserID, &e.By, &e.Address, &e.Browser); err != nil {
			return err
		}
		e.At = e.At.UTC()
		add(e)
	}
	return rows.Err()
}

// QueueStory adds to a batch the look-up of what happened to a session and to
// those that it has taken the place of, the oldest first. It ends at another
// user's: who signs in where somebody else is still signed in takes the place
// of a session that is none of their business.
func QueueStory(b *pgx.Batch, handle string, into *[]sessions.Event) {
	b.Queue(`
		WITH RECURSIVE line (handle) AS (
			VALUES ($1)
			UNION
			SELECT e.previous FROM session_events e JOIN line ON e.session = line.handle
			WHERE e.previous <> '' AND NOT EXISTS (
				SELECT FROM session_events mine JOIN session_events theirs ON theirs.user_id <> mine.user_id
				WHERE mine.session = $1 AND theirs.session = e.previous)
		)
		SELECT `+eventColumns+` FROM session_events WHERE session IN (SELECT handle FROM line) ORDER BY id`,
		handle).Query(func(rows pgx.Rows) error {
		return scanEvents(rows, func(e sessions.Event) { *into = append(*into, e) })
	})
}

// QueueEvents adds to a batch the look-up of what is on record about a user,
// the newest first, at most so many.
func QueueEvents(b *pgx.Batch, userID int64, most int, into *[]sessions.Event) {
	b.Queue(`SELECT `+eventColumns+` FROM session_events WHERE user_id = $1 ORDER BY id DESC LIMIT $2`,
		userID, most).Query(func(rows pgx.Rows) error {
		return scanEvents(rows, func(e sessions.Event) { *into = append(*into, e) })
	})
}

// QueueSignIns adds to a batch the look-up of how each of some sessions came
// to be, by handle.
func QueueSignIns(b *pgx.Batch, handles []string, into map[string]sessions.Event) {
	b.Queue(`SELECT `+eventColumns+` FROM session_events WHERE session = ANY($1) AND kind IN ($2, $3)`,
		handles, sessions.SignedIn, sessions.Moved).Query(func(rows pgx.Rows) error {
		return scanEvents(rows, func(e sessions.Event) { into[e.Session] = e })
	})
}

// TrimRecord forgets what happened before a time, and says how many events
// that were. Events are filed in the order of time, so it takes them from the
// oldest, a thousand a step, and needs no index on the time.
func TrimRecord(ctx context.Context, db *pgxpool.Pool, before time.Time) (int, error) {
	const step = 1000
	removed := 0
	for {
		tag, err := db.Exec(ctx, `
			DELETE FROM session_events
			WHERE id = ANY (ARRAY(SELECT id FROM session_events ORDER BY id LIMIT $1)) AND at < $2`, step, before)
		if err != nil {
			return removed, fmt.Errorf("trim the record: %w", err)
		}
		removed += int(tag.RowsAffected())
		if tag.RowsAffected() < step {
			return removed, nil
		}
	}
}
