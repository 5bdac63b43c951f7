package sessions_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
)

// policies are the default one, whose slack is capped at a minute, and a short
// one, whose slack is a sixteenth of its idle time.
var policies = []struct {
	sessions.Policy
	slack time.Duration
}{
	{sessions.DefaultPolicy, time.Minute},
	{sessions.Policy{Idle: 80 * time.Second, Lifetime: time.Hour}, 5 * time.Second},
}

func TestIdleSessionLivesToItsLimitAndNotMuchLonger(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, p := range policies {
		for _, pause := range []struct {
			length time.Duration
			want   sessions.Ticket
		}{
			{p.Idle - time.Second, sessions.TicketLive},
			{p.Idle + p.slack - time.Microsecond, sessions.TicketLive},
			{p.Idle + p.slack, sessions.TicketIdledOut},
			{p.Idle + p.slack + time.Second, sessions.TicketIdledOut},
		} {
			t.Run(fmt.Sprintf("%v after %v", p.Idle, pause.length), func(t *testing.T) {
				t.Parallel()
				s := openShopOn(t, db, p.Policy, false)
				v := s.arrives(sessions.Refs{UserID: 1})
				s.clock.turnTo(opening.Truncate(time.Microsecond).Add(pause.length))
				v.wantTicket(pause.want)
			})
		}
	}
}

// The idle limit counts from the last request, also if that request was too
// soon after another for a touch.
func TestIdleLimitCountsFromTheLastRequest(t *testing.T) {
	t.Parallel()
	for _, p := range policies {
		s := openShopWith(t, p.Policy, false)
		for _, gap := range []time.Duration{0, p.slack - time.Microsecond, p.slack, p.slack + time.Microsecond} {
			v := s.arrives(sessions.Refs{UserID: 1})
			s.clock.turn(gap)
			v.wantTicket(sessions.TicketLive)
			s.clock.turn(p.Idle - time.Second)
			v.wantTicket(sessions.TicketLive)
			s.clock.turn(p.Idle + p.slack)
			v.wantTicket(sessions.TicketIdledOut)
		}
	}
}

func TestSessionEndsAtItsAbsoluteLimitHoweverBusy(t *testing.T) {
	t.Parallel()
	for _, p := range policies {
		s := openShopWith(t, p.Policy, false)
		v := s.arrives(sessions.Refs{UserID: 1})
		until := opening.Truncate(time.Microsecond).Add(p.Lifetime)
		for s.clock.Now().Add(p.Idle / 2).Before(until) {
			s.clock.turn(p.Idle / 2)
			v.wantTicket(sessions.TicketLive)
		}
		s.clock.turnTo(until.Add(-time.Microsecond))
		if a := v.wantTicket(sessions.TicketLive); a.calls("touch") != 0 {
			t.Error("a session at its absolute deadline was touched, which can move nothing")
		}
		s.clock.turnTo(until)
		v.wantTicket(sessions.TicketLivedOut)
	}
}

// A sign-in starts a new life: both limits count from there.
func TestNewIDHasALifeOfItsOwn(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{CartID: 1})
	for range 20 {
		s.clock.turn(25 * time.Minute)
		v.wantTicket(sessions.TicketLive)
	}
	v.must(signIn(sessions.Refs{UserID: 1}))
	a := v.wantTicket(sessions.TicketLive)
	signedIn := s.clock.Now().Truncate(time.Microsecond)
	if !a.session.CreatedAt.Equal(signedIn) || !a.session.Until.Equal(signedIn.Add(sessions.DefaultPolicy.Lifetime)) {
		t.Errorf("a session made at %v: %+v", signedIn, a.session)
	}
}

func TestIdleLimitNeverReachesPastTheAbsoluteOne(t *testing.T) {
	t.Parallel()
	policy := sessions.Policy{Idle: time.Hour, Lifetime: time.Hour}
	s := openShopWith(t, policy, false)
	v := s.arrives(sessions.Refs{UserID: 1})
	if a := v.wantTicket(sessions.TicketLive); !a.session.IdleUntil.Equal(a.session.Until) {
		t.Errorf("idle until %v, past the absolute deadline %v", a.session.IdleUntil, a.session.Until)
	}
	s.clock.turn(policy.Lifetime - time.Second)
	v.wantTicket(sessions.TicketLive)
	s.clock.turn(time.Second)
	v.wantTicket(sessions.TicketLivedOut)
}

func TestTimedOutSessionIsDeletedAndItsCookieCleared(t *testing.T) {
	t.Parallel()
	for ticket, policy := range map[sessions.Ticket]sessions.Policy{
		sessions.TicketIdledOut: sessions.DefaultPolicy,
		sessions.TicketLivedOut: {Idle: 12 * time.Hour, Lifetime: 12 * time.Hour},
	} {
		t.Run(ticket.String(), func(t *testing.T) {
			t.Parallel()
			s := openShopWith(t, policy, false)
			v := s.arrives(sessions.Refs{UserID: 1})
			thief := v.copy()
			s.clock.turn(policy.Lifetime)
			a := v.wantTicket(ticket)
			s.wantCleared(a)
			s.wantRows(0)
			v.wantTicket(sessions.TicketNone)
			thief.wantTicket(sessions.TicketUnknown)
			if !ticket.TimedOut() {
				t.Errorf("ticket %s does not say that it timed out", ticket)
			}
		})
	}
}

// X15: most requests write nothing at all.
func TestTouchesAreThrottled(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	const minutes = 10
	touches, version := 0, s.version()
	for range minutes * 60 {
		s.clock.turn(time.Second)
		touched := v.wantTicket(sessions.TicketLive).calls("touch")
		touches += touched
		if now := s.version(); (now != version) != (touched == 1) {
			t.Fatalf("a request that touches %d times makes of the row %s, which was %s", touched, now, version)
		} else {
			version = now
		}
	}
	if touches < minutes-1 || touches > minutes {
		t.Errorf("a request each second touched %d times in %d minutes", touches, minutes)
	}
}

// version tells one version of the only row from the next.
func (s *shop) version() (v string) {
	s.Helper()
	if err := s.db.QueryRow(s.Context(), `SELECT xmin::text || ctid::text FROM sessions`).Scan(&v); err != nil {
		s.Fatal(err)
	}
	return v
}

// Late rather than early, and never by more than the slack.
func TestStoredDeadlineIsLateByTheSlackAtMost(t *testing.T) {
	t.Parallel()
	for _, p := range policies {
		s := openShopWith(t, p.Policy, false)
		chance := rand.New(rand.NewPCG(1, 2))
		for range 5 {
			v := s.arrives(sessions.Refs{UserID: 1})
			for {
				now := s.clock.Now()
				stored, until := s.deadlines()
				earliest, latest := now.Add(p.Idle), now.Add(p.Idle+p.slack)
				if earliest.After(until) {
					earliest = until
				}
				// Stores keep microseconds, so one of them may be missing.
				if stored.Before(earliest.Truncate(time.Microsecond)) || stored.After(latest) || stored.After(until) {
					t.Fatalf("a request at %v leaves the deadline at %v", now, stored)
				}
				s.clock.turn(time.Duration(chance.Int64N(int64(p.Idle / 4))))
				if a := v.must(look); a.ticket == sessions.TicketLivedOut {
					break
				} else {
					s.want(a, sessions.TicketLive)
				}
			}
		}
	}
}

// deadlines are those of the one session in the store.
func (s *shop) deadlines() (idleUntil, until time.Time) {
	s.Helper()
	if err := s.db.QueryRow(s.Context(), `SELECT idle_until, until FROM sessions`).Scan(&idleUntil, &until); err != nil {
		s.Fatal(err)
	}
	return idleUntil, until
}

func TestPolicyIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy sessions.Policy
		want   string // part of the message, or nothing if all is well
	}{
		{sessions.DefaultPolicy, ""},
		{sessions.Policy{Idle: time.Hour, Lifetime: time.Hour}, ""},
		{sessions.Policy{Idle: 0, Lifetime: time.Hour}, "idle"},
		{sessions.Policy{Idle: -time.Second, Lifetime: time.Hour}, "idle"},
		{sessions.Policy{Idle: time.Hour, Lifetime: 0}, "lifetime"},
		{sessions.Policy{Idle: time.Hour, Lifetime: -time.Hour}, "lifetime"},
		{sessions.Policy{Idle: time.Hour + 1, Lifetime: time.Hour}, "longer than the lifetime"},
		{sessions.Policy{}, "idle"},
	} {
		_, err := sessions.NewManager(sessions.Config{Policy: c.policy})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %q", c.policy, err, c.want)
		}
	}
}
