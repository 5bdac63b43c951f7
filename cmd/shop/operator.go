package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"coatcheck/internal/auth"
	"coatcheck/internal/postgres"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"

	"github.com/jackc/pgx/v5"
)

// What the operator's hand tools, sessions and users, have in common. They
// work on the database, whether or not a shop is running on it.

// byOperator is who does things by hand, for the record.
const byOperator = "operator"

// tools is what one command works with.
type tools struct {
	*opened
	users *auth.Users
	store sessions.Store
	now   time.Time // of all that the command does
}

// room is the settings that say where users and sessions are.
type room struct {
	database
	sessionStore
}

// operate opens the database and the session store for a hand tool. Only what
// makes passwords needs the pepper.
func (r *room) operate(ctx context.Context, t terminal, pepper []byte, do func(tools) error) error {
	if err := r.checkStore(); err != nil {
		return err
	}
	if r.SessionStore == "memory" {
		return settingError("--session-store (SHOP_SESSION_STORE)", "\"memory\" is that of the shop's own process, which no other program sees; to end all of its sessions, start it anew")
	}
	return r.with(ctx, t, func(db *opened) error {
		if err := upToDate(ctx, db); err != nil {
			return err
		}
		users, err := auth.New(auth.Config{DB: db.Pool, Pepper: pepper})
		if err != nil {
			return err
		}
		store, err := r.openStore(ctx, db.Pool, newLog(t.err), 5*time.Second)
		if err != nil {
			return err
		}
		return errors.Join(do(tools{db, users, store, time.Now()}), store.close())
	})
}

// upToDate refuses a schema that is older than the program. To change it is
// more than whoever asks for a list has asked for.
func upToDate(ctx context.Context, db *opened) error {
	list, err := postgres.Status(ctx, db.Pool)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.AppliedAt.IsZero() {
			return fmt.Errorf("the database lacks %s; 'shop migrate up' or 'shop serve' applies it", m.Name)
		}
	}
	return nil
}

// onRecord says what is done to a user's account, to be written in the
// transaction that does it.
func (o tools) onRecord(kind sessions.Kind, userID int64) func(context.Context, pgx.Tx) error {
	e := sessions.Event{At: o.now, Kind: kind, UserID: userID, By: byOperator}
	return func(ctx context.Context, tx pgx.Tx) error { return pgstore.Record(ctx, tx, e) }
}

func (o tools) revocation() sessions.Event {
	return sessions.Event{At: o.now, Kind: sessions.Revoked, By: byOperator}
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// visible makes what somebody typed into a form safe to show: a terminal obeys
// some of the characters that cannot be seen.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// inTables is how tables word a time; their heads say that it is in UTC.
func inTables(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func ended(n int) string {
	if n == 1 {
		return "1 session ended"
	}
	return fmt.Sprintf("%d sessions ended", n)
}
