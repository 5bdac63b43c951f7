package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"

	"github.com/jackc/pgx/v5"
)

// Who does something, for the record.
const byOwner = "owner"

func byAdministrator(user auth.User) string { return fmt.Sprintf("administrator %d", user.ID) }

// onRecord says what is done to a user's account, to be written in the
// transaction that does it.
func (s *Shop) onRecord(r *http.Request, kind sessions.Kind, userID int64, by string) func(context.Context, pgx.Tx) error {
	e := sessions.Event{At: s.now(), Kind: kind, UserID: userID, By: by}
	if session, _ := sessions.From(r.Context()); session.UserID == userID {
		e.Session = session.Handle
	}
	return func(ctx context.Context, tx pgx.Tx) error { return pgstore.Record(ctx, tx, e) }
}

// recordRefusal puts a sign-in that was refused on the record of whoever's
// account it was. Nothing that was typed is kept: people type passwords into
// the wrong field.
func (s *Shop) recordRefusal(r *http.Request, userID int64) error {
	return pgstore.Record(r.Context(), s.db, sessions.Event{
		At: s.now(), Kind: pgstore.Refused, UserID: userID,
		Address: clientAddress(r), Browser: sessions.Browser(r),
	})
}

// EventRow is a line of the record.
type EventRow struct {
	At               time.Time
	What             string // a sentence
	Session          string // a handle, or empty
	Next             string // the handle of the session that took its place, or empty
	Address, Browser string
}

var happened = map[sessions.Kind]string{
	sessions.Made:           "A guest's session began.",
	sessions.SignedIn:       "Signed in.",
	sessions.Moved:          "Moved to a new ticket.",
	sessions.SignedOut:      "Signed out.",
	sessions.IdledOut:       "Timed out: nothing was asked for long enough.",
	sessions.LivedOut:       "Timed out: its longest life was over.",
	sessions.Revoked:        "Ended from elsewhere",
	sessions.CrowdedOut:     "Ended, because there were too many.",
	pgstore.Refused:         "A wrong password was refused.",
	pgstore.PasswordChanged: "The password was changed",
	pgstore.EmailChanged:    "The e-mail address was changed",
	pgstore.RoleChanged:     "The role was changed",
	pgstore.Disabled:        "The account was disabled",
	pgstore.Enabled:         "The account was enabled",
	pgstore.AllRevoked:      "Everybody's sessions were ended",
}

func eventRows(events []sessions.Event) []EventRow {
	rows := make([]EventRow, len(events))
	for i, e := range events {
		rows[i] = EventRow{At: e.At, What: happened[e.Kind], Session: e.Session, Address: e.Address, Browser: e.Browser}
		if e.By != "" {
			rows[i].What += ", by the " + e.By + "."
		}
		if e.Previous != "" { // the old ticket is torn, the new one issued
			rows[i].Session, rows[i].Next = e.Previous, e.Session
		}
	}
	return rows
}
