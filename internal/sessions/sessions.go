// Package sessions is the coat check.
//
// At a coat check you hand over your coat and get a numbered ticket; later you
// show the ticket and get your coat. Here the coat is a [Session], the coat
// room is a [Store], and the ticket is a random ID in a cookie. The server
// keeps the coat; the browser holds nothing but the ticket.
//
// One idea carries the package: under one ID a session's references never
// change; only its idle deadline moves. A change of identity is a new ID. A
// guest's first item makes a session that refers to a cart ([Manager.Begin]).
// Signing in lets the old ID die and a new one be born that refers to the user
// ([Manager.SignIn]). Signing out deletes ([Manager.SignOut]). So there is
// nothing to save after a handler has run, no update to lose, and nothing by
// which a slow request could bring a dead session back.
//
// Read the files in this order: sessions.go, id.go, store.go, manager.go,
// lifecycle.go, middleware.go, cookie.go, account.go, event.go, trace.go.
package sessions

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Refs is all that a session may hold: references, never the things they
// refer to. Zero means none.
type Refs struct{ UserID, CartID int64 }

// Session is one coat in the room.
type Session struct {
	// Handle names the session on pages and in logs. It is neither the ID nor
	// made from it: whoever reads a handle can do nothing with it.
	Handle string

	Refs                // fixed for the life of the ID
	CreatedAt time.Time // also the moment of the sign-in, if it has a user
	IdleUntil time.Time // the idle deadline, which activity moves
	Until     time.Time // the absolute deadline, which nothing moves
}

// Policy says how long sessions last. A session keeps the policy that it was
// made under.
type Policy struct {
	Idle     time.Duration // a session without requests dies after this
	Lifetime time.Duration // a session dies after this, however busy
}

// DefaultPolicy suits a shop: half an hour to find the credit card, half a
// day in all (NIST SP 800-63B-4 at AAL2, and OWASP ASVS 5.0 V7.3).
// DefaultKept is for those who ask to stay signed in on a device of their own:
// they are asked for the password once a month (NIST's figure at AAL1), or
// after two weeks away.
var (
	DefaultPolicy = Policy{Idle: 30 * time.Minute, Lifetime: 12 * time.Hour}
	DefaultKept   = Policy{Idle: 14 * 24 * time.Hour, Lifetime: 30 * 24 * time.Hour}
)

// Check reports what is wrong with the policy, if anything. Neither limit can
// be switched off: a session that never ends is a key under the mat.
func (p Policy) Check() error {
	switch {
	case p.Idle <= 0:
		return fmt.Errorf("the idle time is %v; it must be longer than 0", p.Idle)
	case p.Lifetime <= 0:
		return fmt.Errorf("the lifetime is %v; it must be longer than 0", p.Lifetime)
	case p.Idle > p.Lifetime:
		return fmt.Errorf("the idle time, %v, is longer than the lifetime, %v", p.Idle, p.Lifetime)
	}
	return nil
}

// CheckKept reports what is wrong with p as the longer one of two policies.
func (p Policy) CheckKept(ordinary Policy) error {
	if err := p.Check(); err != nil {
		return fmt.Errorf("of sessions that are kept, %w", err)
	}
	if p.Lifetime <= ordinary.Lifetime || p.Idle < ordinary.Idle {
		return fmt.Errorf("sessions that are kept last %v, or %v without requests; that must be longer than ordinary ones, with %v and %v",
			p.Lifetime, p.Idle, ordinary.Lifetime, ordinary.Idle)
	}
	return nil
}

// Slack is how much the stored idle deadline may be late. A touch moves the
// deadline this much further than the idle time, so the requests that follow
// within the slack need not write at all: a page view is then a pure read.
func (p Policy) Slack() time.Duration { return min(p.Idle/16, time.Minute) }

// idleUntil is the idle deadline that a request at now gives to a session that
// lives until the given time at most.
func (p Policy) idleUntil(now, until time.Time) time.Time {
	deadline := now.Add(p.Idle + p.Slack())
	if deadline.After(until) {
		return until
	}
	return deadline
}

// worthTouching reports whether the stored deadline would come too early for
// a session that is in use now.
func (p Policy) worthTouching(s Session, now time.Time) bool {
	return s.IdleUntil.Before(s.Until) && s.IdleUntil.Before(now.Add(p.Idle))
}

// Ends is the deadline that comes first.
func (s Session) Ends() time.Time {
	if s.Until.Before(s.IdleUntil) {
		return s.Until
	}
	return s.IdleUntil
}

// Left is how long the session lasts from now without another request. Final
// says that another request would not make it last longer.
func (s Session) Left(now time.Time) (left time.Duration, final bool) {
	return s.Ends().Sub(now), !s.IdleUntil.Before(s.Until)
}

// Expired says which deadline the session has ended at by now: TicketIdledOut
// or TicketLivedOut, whichever came first, or TicketLive if neither has come.
func (s Session) Expired(now time.Time) Ticket {
	switch {
	case now.Before(s.Ends()):
		return TicketLive
	case s.IdleUntil.Before(s.Until):
		return TicketIdledOut
	}
	return TicketLivedOut
}

// NewestFirst compares two sessions for a list. Of two made in the same
// microsecond, the handle decides, so that every call takes the same one for
// the newer.
func NewestFirst(a, b Session) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.Handle, b.Handle))
}
