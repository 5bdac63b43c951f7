package web_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"coatcheck/internal/view"
)

// left is what an answer says of the time that is left.
func (a answer) left() (l view.Left) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.is(http.StatusOK).body), &l); err != nil || a.Header.Get("Content-Type") != "application/json" {
		a.t.Errorf("%s: %v, %s", a.what(), err, a.body)
	}
	return l
}

func (a answer) wantLeft(d time.Duration, final bool) {
	a.t.Helper()
	if got, want := a.left(), (view.Left{Seconds: int(d.Seconds()), Final: final}); got != want {
		a.t.Errorf("%s: %+v, want %+v", a.what(), got, want)
	}
	if len(a.sets("session")) != 0 {
		a.t.Errorf("%s sets %v", a.what(), a.sets("session"))
	}
}

// WCAG 2.2.1: a page can ask how long it has, and by asking changes nothing.
func TestAskingForTheTimeIsNoActivity(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, stranger, unknown := s.signedInAs("alice"), s.browser(), s.browser()
	unknown.hold(unknownTicket(1))
	before := s.picture()
	for _, b := range []*browser{stranger, unknown} {
		b.get("/session").wantLeft(0, false)
		b.post("/session/extend").wantLeft(0, false)
	}
	for minutes := range 31 {
		alice.get("/session").wantLeft(idle+late-time.Duration(minutes)*time.Minute, false)
		s.clock.advance(time.Minute)
	}
	alice.get("/session").wantLeft(0, false)
	s.unchanged(before, "asking for the time") // nor is what has timed out deleted
	alice.isDead()
}

func TestExtendingIsActivity(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, guest := s.signedInAs("alice"), s.browser()
	guest.add("camel-overcoat")
	for used := time.Duration(0); used < lifetime-idle; used += 20 * time.Minute {
		for _, b := range []*browser{alice, guest} {
			b.post("/session/extend").wantLeft(min(idle+late, lifetime-used), false)
		}
		s.clock.advance(20 * time.Minute)
	}
	for _, b := range []*browser{alice, guest} {
		b.post("/session/extend").wantLeft(20*time.Minute, true) // until the absolute deadline
		b.get("/session").wantLeft(20*time.Minute, true)
	}
	s.clock.advance(20*time.Minute - time.Second)
	alice.post("/session/extend").wantLeft(time.Second, true)
	s.clock.advance(time.Second)
	alice.get("/session").wantLeft(0, false)
	alice.isDead()
}
