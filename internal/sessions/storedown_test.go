package sessions_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"coatcheck/internal/sessions"

	"github.com/jackc/pgx/v5"
)

// breakStore takes the table away, so that every call on the store fails, and
// gives back what repairs it.
func (s *shop) breakStore() (repair func()) {
	s.Helper()
	s.exec(`ALTER TABLE sessions RENAME TO elsewhere`)
	return func() { s.exec(`ALTER TABLE elsewhere RENAME TO sessions`) }
}

// refuse lets the database refuse one kind of statement on the table: INSERT,
// UPDATE or DELETE. All else works.
func (s *shop) refuse(statement string) (repair func()) {
	s.Helper()
	s.exec(`
		CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE 'the disk is full'; END $$`)
	s.exec(`CREATE TRIGGER refuse BEFORE ` + statement + ` ON sessions EXECUTE FUNCTION refuse()`)
	return func() { s.exec(`DROP TRIGGER refuse ON sessions`) }
}

// X11: a blip is no sign-out.
func TestStoreThatFailsIsNoSignOut(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(s *shop) (repair func()){
		"the table is gone": (*shop).breakStore,
		"the pool is closed": func(s *shop) func() {
			s.db.Close()
			return nil
		},
		"the database is dropped": func(s *shop) func() {
			config := s.db.Config().ConnConfig
			name := config.Database
			config.Database = "postgres"
			conn, err := pgx.ConnectConfig(s.Context(), config)
			if err != nil {
				s.Fatal(err)
			}
			if _, err := conn.Exec(s.Context(), `DROP DATABASE `+pgx.Identifier{name}.Sanitize()+` WITH (FORCE)`); err != nil {
				s.Error(err)
			}
			if err := conn.Close(s.Context()); err != nil {
				s.Error(err)
			}
			return nil
		},
		"an expired session cannot be deleted": func(s *shop) func() {
			s.clock.turn(sessions.DefaultPolicy.Idle + time.Minute)
			repair := s.refuse("DELETE")
			return func() {
				s.clock.turn(-sessions.DefaultPolicy.Idle)
				repair()
			}
		},
		"the deadline cannot be moved": func(s *shop) func() {
			s.clock.turn(2 * time.Minute)
			return s.refuse("UPDATE")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			v := s.arrives(sessions.Refs{UserID: 1})
			repair := breakIt(s)
			for range 3 {
				a := v.does(look)
				if a.failed == nil || errors.Is(a.failed, sessions.ErrNotFound) || a.handled || a.code != http.StatusServiceUnavailable {
					t.Errorf("failed %v, handled %t, status %d", a.failed, a.handled, a.code)
				}
				s.wantNoCookie(a)
			}
			if repair == nil {
				return
			}
			repair()
			v.wantTicket(sessions.TicketLive)
		})
	}
}

func TestRequestThatIsCalledOffIsNoSignOut(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := s.serve(v.request().WithContext(ctx), look)
	if !errors.Is(a.failed, context.Canceled) || a.handled {
		t.Errorf("failed %v, handled %t", a.failed, a.handled)
	}
	s.wantNoCookie(a)
	v.wantTicket(sessions.TicketLive)
}

// X12: a sign-out that did not happen is never reported as done.
func TestSignOutThatFailsSaysSoAndLeavesTheCookie(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	repair := s.refuse("DELETE")
	a := v.does(signOut)
	if a.err == nil || errors.Is(a.err, sessions.ErrNotFound) {
		t.Errorf("SignOut: %v; want the store's error", a.err)
	}
	s.wantNoCookie(a)
	repair()
	v.wantTicket(sessions.TicketLive)
	v.must(signOut)
	s.wantRows(0)
}

// Committed before answered: no ticket goes out for a session that was not
// filed.
func TestNoCookieIsSentForASessionThatWasNotFiled(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]act{
		"begin":   begin(sessions.Refs{CartID: 1}),
		"change":  change(sessions.Refs{UserID: 1}),
		"sign in": signIn(sessions.Refs{UserID: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			v := s.arrives(sessions.Refs{CartID: 1})
			repair := s.refuse("INSERT")
			a := v.does(do)
			if a.err == nil || errors.Is(a.err, sessions.ErrNotFound) {
				t.Errorf("%v; want the store's error", a.err)
			}
			s.wantNoCookie(a)
			repair()
			v.wantTicket(sessions.TicketLive) // the old one, whole
			s.wantRows(1)
		})
	}
}
