package web_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/sessions"
)

// ASVS 7.1.2: one sign-in more ends the oldest session, and no other.
func TestSignInBeyondTheMostEndsTheOldest(t *testing.T) {
	t.Parallel()
	s := open(t)
	bob := s.signedInAs("bob")
	var all []*browser
	for range sessions.DefaultMost + 2 {
		s.clock.advance(time.Second)
		all = append(all, s.signedInAs("alice"))
	}
	for i, b := range all {
		if i < 2 {
			b.get("/orders").leadsTo("/login?next=%2Forders")
		} else {
			b.get("/orders").is(http.StatusOK)
		}
	}
	bob.get("/orders").is(http.StatusOK)
}

// X20
func TestManySignInsAtOnceLeaveNoMoreThanTheMost(t *testing.T) {
	t.Parallel()
	s := open(t)
	const browsers = 50
	var all [browsers]*browser
	var signIns sync.WaitGroup
	for i := range all {
		all[i] = s.browser()
		signIns.Go(func() { all[i].signIn("alice") })
	}
	signIns.Wait()
	n := s.number(`SELECT count(*) FROM sessions`)
	if n == 0 || n > sessions.DefaultMost {
		t.Errorf("after %d sign-ins at once there are %d sessions, want %d at most", browsers, n, sessions.DefaultMost)
	}
	live := 0
	for _, b := range all {
		if b.get("/orders").StatusCode == http.StatusOK {
			live++
		}
	}
	if live != n {
		t.Errorf("%d browsers are signed in, and there are %d sessions", live, n)
	}
	s.signedInAs("alice").get("/orders").is(http.StatusOK) // and who comes next is
}
