package sessions_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/sessions"
)

// ASVS 5.0 V7.2.4.
func TestSignInMovesToANewID(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{CartID: 5})
	before, guest := v.copy(), v.wantTicket(sessions.TicketLive).session
	s.clock.turn(time.Minute)
	a := v.must(signIn(sessions.Refs{UserID: 1, CartID: 6}))
	if v.id == before.id || len(a.setCookie) != 1 {
		t.Errorf("the ID after the sign-in is the one before, or there are two: %q", a.setCookie)
	}
	signedIn := v.wantTicket(sessions.TicketLive).session
	if signedIn.Refs != (sessions.Refs{UserID: 1, CartID: 6}) || signedIn.Handle == guest.Handle {
		t.Errorf("signed in: %+v; before: %+v", signedIn, guest)
	}
	before.wantTicket(sessions.TicketUnknown)
	if rows := s.rows(); !slices.Equal(rows, []string{signedIn.Handle}) {
		t.Errorf("the store holds %q, want the new session only", rows)
	}
}

// Session fixation: the attacker has planted the ID of a session of their own
// and waits for the victim to sign in with it.
func TestPlantedSessionIsDeadAfterTheVictimSignsIn(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	attacker := s.arrives(sessions.Refs{CartID: 666})
	victim := attacker.copy()
	victim.must(signIn(sessions.Refs{UserID: 1}))
	attacker.wantTicket(sessions.TicketUnknown)
	if refs := victim.wantTicket(sessions.TicketLive).session.Refs; refs != (sessions.Refs{UserID: 1}) {
		t.Errorf("the victim's session refers to %+v; something planted has come along", refs)
	}
	attacker.must(signIn(sessions.Refs{UserID: 666}))
	victim.wantTicket(sessions.TicketLive)
}

func TestSigningInAgainMovesAgain(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	for range 3 {
		before := v.copy()
		v.must(signIn(sessions.Refs{UserID: 1}))
		before.wantTicket(sessions.TicketUnknown)
		v.wantTicket(sessions.TicketLive)
	}
	s.wantRows(1)
}

func TestSignInWithoutASessionBeginsOne(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	evil := s.arrives(sessions.Refs{UserID: 666})
	for name, cookies := range map[string][]string{
		"no cookie":        nil,
		"a malformed one":  {"session=short"},
		"a repeated one":   {"session=" + evil.id + "; session=" + evil.id},
		"one nobody knows": {"session=" + sessions.NewID()},
	} {
		a := s.serve(s.request(cookies...), signIn(sessions.Refs{UserID: 1}))
		if a.err != nil || a.calls("create") != 1 || len(a.setCookie) != 1 {
			t.Errorf("%s: %v, %q, Set-Cookie: %q", name, a.err, a.told, a.setCookie)
		}
	}
	evil.wantTicket(sessions.TicketLive)
	s.wantRows(5)
}

// The old session has ended between the middleware and the handler. The
// password was right all the same.
func TestSignInSurvivesTheEndOfTheOldSession(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{CartID: 1})
	before := v.copy()
	a := v.must(after(s.endAll, signIn(sessions.Refs{UserID: 1})))
	want := []string{"store load", "ticket live", "store move finds nothing", "store create", "began {1 0}", "cookie sent", "store delete oldest"}
	if !slices.Equal(a.told, want) {
		t.Errorf("told %q, want %q", a.told, want)
	}
	v.wantTicket(sessions.TicketLive)
	before.wantTicket(sessions.TicketUnknown)
	s.wantRows(1)
}

func TestChangeMovesToANewID(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	before := v.copy()
	v.must(change(sessions.Refs{UserID: 1, CartID: 2}))
	before.wantTicket(sessions.TicketUnknown)
	if refs := v.wantTicket(sessions.TicketLive).session.Refs; refs != (sessions.Refs{UserID: 1, CartID: 2}) {
		t.Errorf("the session refers to %+v", refs)
	}
	s.wantRows(1)
}

// Dead stays dead, and the cookie that whatever ended the session may have
// sent stays as it is.
func TestChangeOfASessionThatHasEndedChangesNothing(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	a := v.does(after(s.endAll, change(sessions.Refs{UserID: 1, CartID: 2})))
	if !errors.Is(a.err, sessions.ErrNotFound) {
		t.Errorf("Change: %v; want ErrNotFound", a.err)
	}
	s.wantNoCookie(a)
	s.wantRows(0)
}

func TestChangeWithoutASessionChangesNothing(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, cookies := range [][]string{nil, {"session=short"}, {"session=" + sessions.NewID()}} {
		a := s.serve(s.request(cookies...), change(sessions.Refs{UserID: 1}))
		if !errors.Is(a.err, sessions.ErrNotFound) || a.calls("move")+a.calls("create") != 0 {
			t.Errorf("Change: %v, %q", a.err, a.told)
		}
		s.wantNoCookie(a)
	}
	s.wantRows(0)
}

func TestOfManyChangesAtOnceOneWins(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	const tabs = 16
	var answers [tabs]answer
	var open sync.WaitGroup
	for i := range tabs {
		open.Go(func() {
			answers[i] = s.serve(v.request(), change(sessions.Refs{UserID: 1, CartID: int64(i) + 1}))
		})
	}
	open.Wait()
	won := 0
	for _, a := range answers {
		if a.ticket == sessions.TicketLive && a.err == nil {
			won++
			continue
		}
		if !errors.Is(a.err, sessions.ErrNotFound) {
			t.Errorf("Change: %v; want ErrNotFound", a.err)
		}
		s.wantNoCookie(a)
	}
	if won != 1 {
		t.Errorf("%d of %d changes succeeded", won, tabs)
	}
	s.wantRows(1)
	v.wantTicket(sessions.TicketUnknown)
}

// ASVS 5.0 V7.4.1: also a copied cookie is worth nothing from then on.
func TestSignOutEndsTheSessionAndThenClearsTheCookie(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v, other := s.arrives(sessions.Refs{UserID: 1}), s.arrives(sessions.Refs{UserID: 1})
	thief := v.copy()
	a := v.must(signOut)
	want := []string{"store load", "ticket live", "store delete", "ended 1 of user 1: signed out", "cookie cleared"}
	if !slices.Equal(a.told, want) {
		t.Errorf("told %q, want %q", a.told, want)
	}
	s.wantCleared(a)
	s.wantRows(1)
	thief.wantTicket(sessions.TicketUnknown)
	other.wantTicket(sessions.TicketLive)
}

func TestSignOutWithoutASession(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.wantNoCookie(s.visitor().must(signOut))
	for _, id := range []string{sessions.NewID(), "short"} {
		s.wantCleared((&visitor{s, id}).must(signOut))
	}
}

// The session has ended, or moved, while the sign-out was on its way. Which of
// the two nobody can say, so the sign-out neither claims to be done nor takes
// the cookie, which may be of the new session.
func TestSignOutThatComesTooLateClaimsNothing(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	late := v.copy()
	a := late.does(after(func() { v.must(change(sessions.Refs{UserID: 1, CartID: 2})) }, signOut))
	if !errors.Is(a.err, sessions.ErrNotFound) {
		t.Errorf("SignOut: %v; want ErrNotFound", a.err)
	}
	s.wantNoCookie(a)
	v.wantTicket(sessions.TicketLive)
}

// X9: a page is slow, and before its answer is sent the visitor has signed in
// in another tab. The slow answer must leave the new cookie alone.
func TestWorkInFlightLeavesTheNewCookieAlone(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{CartID: 1})
	slow := v.copy()
	a := slow.must(after(func() { v.must(signIn(sessions.Refs{UserID: 1})) }, look))
	s.want(a, sessions.TicketLive)
	s.wantNoCookie(a)
	s.wantNoCookie(slow.wantTicket(sessions.TicketUnknown)) // and one that starts late
	v.wantTicket(sessions.TicketLive)
}

// The session ends between the middleware's load and its touch. The row's
// lock holds the touch back until the end is final.
func TestSessionThatEndsUnderTheMiddlewareIsUnknown(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	s.clock.turn(2 * time.Minute) // worth a touch
	tx, err := s.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `DELETE FROM sessions`); err != nil {
		t.Fatal(err)
	}
	answered := make(chan answer, 1)
	go func() { answered <- s.serve(v.request(), look) }()
	for waiting := 0; waiting != 1 && len(answered) == 0; {
		err := s.db.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := <-answered
	s.want(a, sessions.TicketUnknown)
	s.wantNoCookie(a)
	if a.calls("touch finds nothing") != 1 {
		t.Errorf("told %q", a.told)
	}
}
