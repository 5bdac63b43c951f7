package xray_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/xray"
)

// wantHeard expects the X-ray to list what was sent to Postgres: each round
// trip, in order, with its statements and their rows.
func (s *shop) wantHeard(a answer) {
	s.Helper()
	var listed [][]xray.Statement
	var took time.Duration
	for _, v := range a.Room {
		listed = append(listed, v.Statements)
		if took += v.Took; v.Took <= 0 {
			s.Errorf("this took no time: %+v", v)
		}
	}
	if took >= a.Took {
		s.Errorf("the round trips took %v, and all of the exchange %v", took, a.Took)
	}
	if !reflect.DeepEqual(listed, a.heard) {
		s.Errorf("the X-ray lists\n%v\nand sent was\n%v", listed, a.heard)
	}
}

// What was found is the row before the request, a touch of its own included;
// what came after is the row after it.
func TestXRayTellsTheStoryOfASession(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.visitor()
	for _, chapter := range []struct {
		pause  time.Duration
		do     act
		ticket sessions.Ticket
		change xray.Change
		why    sessions.Kind
		calls  []string
	}{
		{0, look, sessions.TicketNone, xray.Unchanged, "", nil},
		{0, begin(sessions.Refs{CartID: 5}), sessions.TicketNone, xray.Began, "", []string{"create"}},
		{0, look, sessions.TicketLive, xray.Unchanged, "", []string{"load"}},
		{2 * time.Minute, look, sessions.TicketLive, xray.Touched, "", []string{"load", "touch"}},
		{2 * time.Minute, signIn(sessions.Refs{UserID: 1, CartID: 5}), sessions.TicketLive, xray.Moved, "", []string{"load", "touch", "move", "delete oldest"}},
		{0, renew, sessions.TicketLive, xray.Moved, "", []string{"load", "move"}},
		{0, signOut, sessions.TicketLive, xray.Ended, sessions.SignedOut, []string{"load", "delete"}},
		{0, signIn(sessions.Refs{UserID: 1}), sessions.TicketNone, xray.Began, "", []string{"create", "delete oldest"}},
		{2 * time.Minute, signOut, sessions.TicketLive, xray.Ended, sessions.SignedOut, []string{"load", "touch", "delete"}},
		{0, signIn(sessions.Refs{UserID: 1}), sessions.TicketNone, xray.Began, "", []string{"create", "delete oldest"}},
		{31 * time.Minute, look, sessions.TicketIdledOut, xray.Ended, sessions.IdledOut, []string{"load", "delete"}},
		{0, begin(sessions.Refs{CartID: 6}), sessions.TicketNone, xray.Began, "", []string{"create"}},
	} {
		s.clock.turn(chapter.pause)
		before, old := v.row(), v.id
		a := v.must(chapter.do)
		s.wantHeard(a)
		if a.Ticket.State != chapter.ticket.String() || a.Change != chapter.change || a.Why != string(chapter.why) {
			t.Errorf("ticket %s, change %q, why %q; want %s, %q, %q", a.Ticket.State, a.Change, a.Why, chapter.ticket, chapter.change, chapter.why)
		}
		if !slices.Equal(a.calls(), chapter.calls) {
			t.Errorf("asked was for %q, want %q", a.calls(), chapter.calls)
		}
		came, given := startOf(old), startOf(v.id)
		if v.id == old {
			given = xray.Ticket{}
		}
		if came.State = a.Ticket.State; a.Ticket != came || a.Given != given {
			t.Errorf("the ticket that came is %v, and the one that was given %v; want %v and %v", a.Ticket, a.Given, came, given)
		}
		if after := v.row(); !reflect.DeepEqual(a.Found, before) || !reflect.DeepEqual(a.After, after) {
			t.Errorf("found\n%v\nand in the end\n%v\nbut the rows were\n%v\n%v", a.Found, a.After, before, after)
		}
	}
}

// startOf is what may be shown of an ID.
func startOf(id string) xray.Ticket {
	if id == "" {
		return xray.Ticket{}
	}
	return xray.Ticket{Start: id[:6], Hook: fmt.Sprintf("%x", sha256.Sum256([]byte(id)))[:6]}
}

func TestAbsoluteTimeoutIsToldFromTheIdleOne(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	for range 24 {
		s.clock.turn(29 * time.Minute)
		v.must(look)
	}
	s.clock.turn(24 * time.Minute)
	a := v.must(look)
	if a.Ticket.State != "lived out" || a.Change != xray.Ended || a.Why != "absolute timeout" || a.Found == nil || a.After != nil {
		t.Errorf("ticket %s, change %q, why %q, found %v, after %v", a.Ticket.State, a.Change, a.Why, a.Found, a.After)
	}
}

// Whoever ends other sessions is not told to have ended this one.
func TestEndOfAnotherSessionIsNotOnesOwn(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	refs := sessions.Refs{UserID: 1}
	for name, do := range map[string]act{
		"one": func(s *shop, _ http.ResponseWriter, r *http.Request) error {
			own, _ := sessions.From(r.Context())
			list, err := s.ByUser(r.Context(), 1)
			for _, other := range list {
				if other.Handle != own.Handle {
					return s.EndHandle(r.Context(), 1, other.Handle, "owner")
				}
			}
			return err
		},
		"others": func(s *shop, _ http.ResponseWriter, r *http.Request) error {
			_, err := s.EndOthers(r.Context(), "owner")
			return err
		},
		"a user's": func(s *shop, _ http.ResponseWriter, r *http.Request) error {
			_, err := s.EndUser(r.Context(), 2, "operator")
			return err
		},
		"everybody's": func(s *shop, _ http.ResponseWriter, r *http.Request) error {
			_, err := s.EndEverybody(r.Context(), "operator")
			return err
		},
	} {
		s.exec(`DELETE FROM sessions`)
		s.arrives(refs)
		s.arrives(sessions.Refs{UserID: 2})
		v := s.arrives(refs)
		a := v.must(do)
		s.wantHeard(a)
		if a.Change != xray.Unchanged || !reflect.DeepEqual(a.After, v.row()) || a.After == nil {
			t.Errorf("%s: change %q, and in the end %v", name, a.Change, a.After)
		}
	}
}

// One sign-in more than an account may have ends its oldest session, which is
// none of the visitor's business.
func TestSignInThatCrowdsAnotherOutIsNoEnd(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for range 3 {
		v := s.visitor()
		a := v.must(signIn(sessions.Refs{UserID: 1}))
		s.wantHeard(a)
		if a.Change != xray.Began || !reflect.DeepEqual(a.After, v.row()) {
			t.Errorf("change %q, and in the end %v", a.Change, a.After)
		}
	}
}

// A sign-in that is taken back ends what it has made.
func TestSessionThatBeginsAndEndsInOneRequestHasEnded(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for what, v := range map[string]*visitor{"made": s.visitor(), "moved": s.arrives(sessions.Refs{CartID: 1})} {
		a := v.must(func(s *shop, w http.ResponseWriter, r *http.Request) error {
			if err := s.SignIn(w, r, sessions.Refs{UserID: 1}, false); err != nil {
				return err
			}
			return s.SignOut(w, r)
		})
		if a.Change != xray.Ended || a.After != nil || a.Given != (xray.Ticket{}) {
			t.Errorf("after it was %s: change %q, in the end %v, given was %v", what, a.Change, a.After, a.Given)
		}
	}
}

func TestSignOutThatFailsIsNoEnd(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	s.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$`)
	s.exec(`CREATE TRIGGER refuse BEFORE DELETE ON sessions EXECUTE FUNCTION refuse()`)
	a := v.does(signOut)
	s.wantHeard(a)
	if a.Change != xray.Unchanged || !reflect.DeepEqual(a.After, v.row()) || !slices.Equal(a.calls(), []string{"load", "delete, failed"}) {
		t.Errorf("change %q, in the end %v, asked was for %q", a.Change, a.After, a.calls())
	}
}

func TestBytesAreThoseOfTheRow(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, refs := range []sessions.Refs{{}, {CartID: 5}, {UserID: 1}, {UserID: 1, CartID: 1 << 40}} {
		v := s.visitor()
		a := v.must(begin(refs))
		var want int
		if err := s.db.QueryRow(t.Context(), `
			SELECT octet_length(key) + octet_length(handle) + coalesce(pg_column_size(user_id), 0) + coalesce(pg_column_size(cart_id), 0)
				+ pg_column_size(created_at) + pg_column_size(idle_until) + pg_column_size(until)
			FROM sessions WHERE handle = $1`, a.After.Handle).Scan(&want); err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, f := range xray.NewPanel(a.Exchange, s.clock.Now()).Fields() {
			sum += f.Bytes
		}
		if a.After.Bytes() != want || sum != want {
			t.Errorf("%+v takes %d bytes, and its columns %d; Postgres says %d", refs, a.After.Bytes(), sum, want)
		}
	}
}
