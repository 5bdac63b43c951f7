package sessions_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/sessions"

	"github.com/jackc/pgx/v5"
)

// record gives what is on record: "what of user n by somebody".
func (s *shop) record(where string) []string {
	s.Helper()
	rows, err := s.db.Query(s.Context(), `
		SELECT kind || ' of user ' || coalesce(user_id, 0) || ' by ' || done_by FROM session_events WHERE `+where+` ORDER BY id`)
	if err != nil {
		s.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// A crowd is the same everywhere: two sessions of user 1, one of user 2, and a guest's.
func (s *shop) crowd() (mine, phone, other, guest *visitor) {
	return s.arrives(sessions.Refs{UserID: 1}), s.arrives(sessions.Refs{UserID: 1}), s.arrives(sessions.Refs{UserID: 2}), s.arrives(sessions.Refs{CartID: 7})
}

func TestEndsReachWhoTheyShouldAndNobodyElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end   func(s *shop, r *http.Request) (int, error)
		ended string // of mine, phone, other, guest
		told  string
	}{
		"EndOthers":    {func(s *shop, r *http.Request) (int, error) { return s.EndOthers(r.Context(), "owner") }, "phone", "ended 1 of user 1: revoked"},
		"EndUser":      {func(s *shop, r *http.Request) (int, error) { return s.EndUser(r.Context(), 1, "owner") }, "mine phone", "ended 2 of user 1: revoked"},
		"EndEverybody": {func(s *shop, r *http.Request) (int, error) { return s.EndEverybody(r.Context(), "owner") }, "phone other guest", "ended 3 of user 0: revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			mine, phone, other, guest := s.crowd()
			n := -1
			a := mine.must(func(s *shop, _ http.ResponseWriter, r *http.Request) (err error) {
				n, err = c.end(s, r)
				return err
			})
			if want := len(strings.Fields(c.ended)); n != want || !slices.Contains(a.told, c.told) {
				t.Errorf("%s: %d, told %q; want %d and %q", name, n, a.told, want, c.told)
			}
			s.wantNoCookie(a)
			for who, v := range map[string]*visitor{"mine": mine, "phone": phone, "other": other, "guest": guest} {
				want := sessions.TicketLive
				if strings.Contains(c.ended, who) {
					want = sessions.TicketUnknown
				}
				v.wantTicket(want)
			}
			if got := s.record(`done_by = 'owner'`); len(got) != n {
				t.Errorf("on record is %q, want %d ends", got, n)
			}
			again := s.visitor().must(func(s *shop, _ http.ResponseWriter, r *http.Request) error {
				_, err := s.EndUser(r.Context(), 99, "owner")
				return err
			})
			if want := []string{"ticket none", "store delete by user"}; !slices.Equal(again.told, want) {
				t.Errorf("ending what is not there told %q, want %q", again.told, want)
			}
		})
	}
}

func TestEndHandleReachesTheUsersOwnAlone(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	_, phone, other, guest := s.crowd()
	for v, user := range map[*visitor]int64{other: 1, guest: 1, phone: 2} {
		handle := v.wantTicket(sessions.TicketLive).session.Handle
		if err := s.EndHandle(t.Context(), user, handle, "owner"); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("EndHandle of somebody else's session: %v; want ErrNotFound", err)
		}
		v.wantTicket(sessions.TicketLive)
	}
	handle := phone.wantTicket(sessions.TicketLive).session.Handle
	if err := s.EndHandle(t.Context(), 1, handle, "owner"); err != nil {
		t.Error(err)
	}
	phone.wantTicket(sessions.TicketUnknown)
	s.wantRows(3)
	if got, want := s.record(`done_by <> ''`), []string{"revoked of user 1 by owner"}; !slices.Equal(got, want) {
		t.Errorf("on record is %q, want %q", got, want)
	}
}

func TestByUserListsLiveSessionsAndWhenTheyWereSeen(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	old := s.arrives(sessions.Refs{UserID: 1})
	s.clock.turn(20 * time.Minute)
	v := s.arrives(sessions.Refs{UserID: 1})
	s.clock.turn(20 * time.Minute) // the old one has timed out
	v.wantTicket(sessions.TicketLive)
	seen := s.clock.Now()
	s.clock.turn(5 * time.Minute)
	list, err := s.ByUser(t.Context(), 1)
	if err != nil || len(list) != 1 {
		t.Fatalf("ByUser: %+v, %v; want the one that is live", list, err)
	}
	if got := s.SeenAt(list[0]); !got.Equal(seen.Truncate(time.Microsecond)) {
		t.Errorf("SeenAt: %v, want %v", got, seen)
	}
	s.wantRows(2) // to list is no sweep
	old.wantTicket(sessions.TicketIdledOut)
	if got := s.SeenAt(sessions.Session{CreatedAt: opening, IdleUntil: opening.Add(time.Minute), Until: opening.Add(time.Minute)}); !got.Equal(opening) {
		t.Errorf("SeenAt of a short session: %v, want when it was made, %v", got, opening)
	}
}

// Renewing is signing in again without signing in: a new ID, a new life, the
// same references.
func TestRenewBeginsTheSessionAnew(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.visitor()
	v.must(signIn(sessions.Refs{UserID: 1, CartID: 2}))
	s.clock.turn(20 * time.Minute)
	before, copied := v.wantTicket(sessions.TicketLive).session, v.copy()
	v.must(renew)
	copied.wantTicket(sessions.TicketUnknown)
	after := v.wantTicket(sessions.TicketLive).session
	now := s.clock.Now().UTC().Truncate(time.Microsecond)
	if after.Refs != before.Refs || after.Handle == before.Handle || after.CreatedAt != now || after.Until != now.Add(sessions.DefaultPolicy.Lifetime) {
		t.Errorf("renewed: %+v; before: %+v", after, before)
	}
	for _, late := range []*visitor{copied, s.visitor()} {
		a := late.does(renew)
		if !errors.Is(a.err, sessions.ErrNotFound) {
			t.Errorf("Renew without a session: %v; want ErrNotFound", a.err)
		}
		s.wantNoCookie(a)
	}
}

// What a handler does about the session holds for the rest of its request.
func TestRequestSeesWhatItHasMadeOfItsSession(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	then := func(what string, do act, want sessions.Refs, live bool) act {
		return func(s *shop, w http.ResponseWriter, r *http.Request) error {
			err := do(s, w, r)
			session, is := sessions.From(r.Context())
			if session.Refs != want || is != live || (sessions.TicketFrom(r.Context()) == sessions.TicketLive) != live {
				s.Errorf("after %s the request has %+v, live %t; want %+v, %t", what, session, is, want, live)
			}
			return err
		}
	}
	v, user, cart := s.visitor(), sessions.Refs{UserID: 1}, sessions.Refs{UserID: 1, CartID: 2}
	v.must(func(s *shop, w http.ResponseWriter, r *http.Request) error {
		return errors.Join(
			then("Begin", begin(sessions.Refs{CartID: 5}), sessions.Refs{CartID: 5}, true)(s, w, r),
			then("SignIn", signIn(user), user, true)(s, w, r),
			then("Change", change(cart), cart, true)(s, w, r),
			then("Renew", renew, cart, true)(s, w, r),
			then("SignOut", signOut, sessions.Refs{}, false)(s, w, r),
			then("SignIn", signIn(user), user, true)(s, w, r))
	})
	s.wantRows(1) // each of them has taken the place of the one before
	v.wantTicket(sessions.TicketLive)
	v.does(then("SignOut of what is gone", after(s.endAll, signOut), sessions.Refs{}, false))
}

// To ask is not to use: nothing is touched, deleted or sent.
func TestPeekChangesNothing(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	version := s.version()
	for _, c := range []struct {
		pause time.Duration
		want  sessions.Ticket
	}{
		{0, sessions.TicketLive},
		{30 * time.Minute, sessions.TicketLive},
		{time.Minute, sessions.TicketIdledOut},
		{12 * time.Hour, sessions.TicketIdledOut},
	} {
		s.clock.turn(c.pause)
		session, ticket, err := s.Peek(v.request())
		if ticket != c.want || err != nil || session.UserID != 1 {
			t.Errorf("Peek: %+v, %s, %v; want %s", session, ticket, err, c.want)
		}
	}
	if got := s.version(); got != version {
		t.Error("peeking has changed the session")
	}
	for cookie, want := range map[string]sessions.Ticket{
		"": sessions.TicketNone, "session=short": sessions.TicketMalformed, "session=" + sessions.NewID(): sessions.TicketUnknown,
	} {
		if session, ticket, err := s.Peek(s.request(cookie)); ticket != want || err != nil || session != (sessions.Session{}) {
			t.Errorf("Peek with %q: %+v, %s, %v; want %s", cookie, session, ticket, err, want)
		}
	}
	s.breakStore()
	if _, ticket, err := s.Peek(v.request()); err == nil {
		t.Errorf("Peek without a store: %s; want an error", ticket)
	}
}

// A timeout is on record when it came, not when it was noticed, and by the
// deadline that came first.
func TestTimeoutIsOnRecordByItsDeadline(t *testing.T) {
	t.Parallel()
	for kind, policy := range map[sessions.Kind]sessions.Policy{
		sessions.IdledOut: {Idle: time.Hour, Lifetime: 2 * time.Hour},
		sessions.LivedOut: {Idle: 2 * time.Hour, Lifetime: 2 * time.Hour},
	} {
		s := openShopWith(t, policy, false)
		v := s.arrives(sessions.Refs{UserID: 1})
		idleUntil, until := s.deadlines()
		s.clock.turn(11 * time.Hour)
		v.must(look)
		var at time.Time
		var what sessions.Kind
		err := s.db.QueryRow(t.Context(), `SELECT at, kind FROM session_events ORDER BY id DESC LIMIT 1`).Scan(&at, &what)
		want := idleUntil
		if kind == sessions.LivedOut {
			want = until
		}
		if err != nil || !at.Equal(want) || what != kind {
			t.Errorf("on record is %q at %v, %v; want %q at %v", what, at, err, kind, want)
		}
		if n := len(s.record(`true`)); n != 2 {
			t.Errorf("%d events are on record, want the beginning and the end", n)
		}
	}
}

// Address and browser are those of users alone, and cut to what is honest.
func TestRecordSaysWhereUsersSignInFrom(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for agent, want := range map[string]string{
		"Desk/1.0": "Desk/1.0", strings.Repeat("x", 300): strings.Repeat("x", 256), "\x00a\xffb": "ab", strings.Repeat("ä", 200): strings.Repeat("ä", 128),
		"x" + strings.Repeat("ä", 200): "x" + strings.Repeat("ä", 127),
	} {
		r := s.request()
		r.Header.Set("User-Agent", agent)
		if a := s.serve(r, signIn(sessions.Refs{UserID: 1})); a.err != nil {
			t.Error(a.err)
		}
		var got string
		if err := s.db.QueryRow(t.Context(), `SELECT browser FROM session_events WHERE kind = 'signed in' ORDER BY id DESC LIMIT 1`).Scan(&got); err != nil || got != want {
			t.Errorf("the browser %q is on record as %q, %v", agent, got, err)
		}
	}
	r := s.request()
	r.Header.Set("User-Agent", "Desk/1.0")
	s.serve(r, begin(sessions.Refs{CartID: 1}))
	if n := len(s.record(`user_id IS NULL AND (browser <> '' OR address <> '')`)); n != 0 {
		t.Error("a guest's browser is on record")
	}
	if got := fmt.Sprint(s.record(`kind = 'made'`)); got != "[made of user 0 by ]" {
		t.Errorf("on record is %s", got)
	}
}
