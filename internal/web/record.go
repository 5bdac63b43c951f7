package web

import (
	"context"
	"fmt"
	"net/http"

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
