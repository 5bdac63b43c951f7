package sessions_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/sessions"
)

const day = 24 * time.Hour

// keep is a sign-in with "keep me signed in".
func keep(refs sessions.Refs) act {
	return func(s *shop, w http.ResponseWriter, r *http.Request) error { return s.SignIn(w, r, refs, true) }
}

func renew(s *shop, w http.ResponseWriter, r *http.Request) error { return s.Renew(w, r) }

func TestKeptSessionLivesForTwoWeeksWithoutRequests(t *testing.T) {
	t.Parallel()
	for pause, want := range map[time.Duration]sessions.Ticket{
		14*day - time.Second:               sessions.TicketLive,
		14*day + time.Minute - time.Second: sessions.TicketLive, // the slack
		14*day + time.Minute:               sessions.TicketIdledOut,
		14*day + time.Minute + time.Second: sessions.TicketIdledOut,
	} {
		s := openShop(t)
		v := s.visitor()
		v.must(keep(sessions.Refs{UserID: 1}))
		s.clock.turnTo(opening.Truncate(time.Microsecond).Add(pause))
		v.wantTicket(want)
	}
}

func TestKeptSessionEndsAfterThirtyDaysHoweverBusy(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.visitor()
	v.must(keep(sessions.Refs{UserID: 1}))
	for range 29 {
		s.clock.turn(day)
		if a := v.wantTicket(sessions.TicketLive); !s.Kept(a.session) {
			t.Error("a kept session is kept no more")
		}
	}
	s.clock.turn(day - time.Second)
	v.wantTicket(sessions.TicketLive)
	s.clock.turn(time.Second)
	v.wantTicket(sessions.TicketLivedOut)
}

// Its cookie outlasts the browser, and so does that of every session that
// takes its place, until somebody signs in otherwise.
func TestKeptSessionStaysKept(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{CartID: 1})
	ordinary, kept := s.wantCookieFor(false), s.wantCookieFor(true)
	kept(v.must(keep(sessions.Refs{UserID: 1})))
	for range 3 {
		s.clock.turn(10 * day)
		kept(v.must(renew))
		s.clock.turn(10 * day)
		kept(v.must(change(sessions.Refs{UserID: 1, CartID: 2})))
	}
	ordinary(v.must(signIn(sessions.Refs{UserID: 1})))
	ordinary(v.must(renew))
	if a := v.wantTicket(sessions.TicketLive); s.Kept(a.session) {
		t.Error("an ordinary session is kept")
	}
	kept(v.must(keep(sessions.Refs{UserID: 1}))) // also from a session that was not
}

// wantCookieFor checks the Max-Age of an answer's one cookie.
func (s *shop) wantCookieFor(kept bool) func(answer) {
	return func(a answer) {
		s.Helper()
		if len(a.setCookie) != 1 || strings.Contains(a.setCookie[0], "; Max-Age=2592000") != kept || strings.Contains(a.setCookie[0], "Max-Age") != kept {
			s.Errorf("Set-Cookie: %q; want one, for thirty days: %t", a.setCookie, kept)
		}
	}
}

func TestKeptPolicyIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kept sessions.Policy
		want string
	}{
		{sessions.DefaultKept, ""},
		{sessions.Policy{}, ""}, // the default
		{sessions.Policy{Idle: 30 * time.Minute, Lifetime: 12*time.Hour + 1}, ""},
		{sessions.Policy{Idle: 30 * time.Minute, Lifetime: 12 * time.Hour}, "longer than ordinary"},
		{sessions.Policy{Idle: 30*time.Minute - 1, Lifetime: day}, "longer than ordinary"},
		{sessions.Policy{Idle: day}, "kept, the lifetime is 0s"},
		{sessions.Policy{Lifetime: day}, "kept, the idle time is 0s"},
		{sessions.Policy{Idle: 2 * day, Lifetime: day}, "kept, the idle time, 48h0m0s, is longer"},
	} {
		_, err := sessions.NewManager(sessions.Config{Policy: sessions.DefaultPolicy, Kept: c.kept})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %q", c.kept, err, c.want)
		}
	}
}
