package web_test

import (
	"maps"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/web"

	"golang.org/x/crypto/bcrypt"
)

// oneWaits makes a shop in which one may wait for a password to be hashed.
func oneWaits(t *testing.T) func(*web.Config) {
	return func(c *web.Config) {
		var err error
		c.Users, err = auth.New(auth.Config{DB: c.DB, Cost: bcrypt.MinCost, Now: c.Now, Waiting: 1})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// crowd sends so many sign-ins of Bob's at once that not all of them can wait,
// and lets none of them get on until disperse is called, which gives how often
// each status was the answer. The first who was turned away is given, too.
func (s *shop) crowd() (turnedAway answer, disperse func() map[int]int) {
	s.t.Helper()
	release := s.hold(`LOCK TABLE sign_in_failures IN ACCESS EXCLUSIVE MODE`)
	answers := make(chan answer)
	many := runtime.GOMAXPROCS(0) + 2
	for range many {
		b := s.browser()
		go func() {
			answers <- b.post("/login", "email", "bob@example.com", "password", "coat-check-bob", "next", "/orders", "keep", "on")
		}()
	}
	turnedAway = <-answers // all who were let in are held up
	return turnedAway, func() map[int]int {
		release()
		statuses := map[int]int{turnedAway.StatusCode: 1}
		for range many - 1 {
			statuses[(<-answers).StatusCode]++
		}
		return statuses
	}
}

func (a answer) isTurnedAway() answer {
	a.t.Helper()
	a.is(http.StatusServiceUnavailable).says("Please enter it again in a few seconds.")
	if got := a.Header.Get("Retry-After"); got != "2" || !strings.Contains(a.body, `role="alert"`) || len(a.sets("session")) != 0 {
		a.t.Errorf("%s: Retry-After is %q, want 2 seconds; it sets %v", a.what(), got, a.sets("session"))
	}
	return a
}

func TestTooManyPasswordsAtOnceAreTurnedAway(t *testing.T) {
	t.Parallel()
	// With connections for everybody who is let in, and for the others.
	s := openOn(t, pool(t, int32(runtime.GOMAXPROCS(0))+4), oneWaits(t))
	alice, admin := s.signedInAs("alice"), s.signedInAs("admin")
	handle := s.handles("alice")[0]
	s.clock.advance(stale) // so that her sessions ask for the password
	users := s.picture()["users"]

	first, disperse := s.crowd()
	if first.isTurnedAway().field("email") != "bob@example.com" || first.field("next") != "/orders" || !strings.Contains(first.body, " checked") {
		t.Errorf("what Bob has typed is lost:\n%s", first.body)
	}
	if strings.Contains(first.body, "aria-invalid") {
		t.Errorf("what Bob has typed is called wrong:\n%s", first.body)
	}
	known := s.browser().guess("alice@example.com", "coat-check-alice", "").isTurnedAway()
	unknown := s.browser().guess("alicf@example.com", "a wrong guess", "").isTurnedAway()
	sameAnswer(t, known, unknown, "alice@example.com", "alicf@example.com")

	form := s.browser().post("/signup", "name", "Carol", "email", "carol@example.com", "password", "mallory was here").isTurnedAway()
	if form.field("name") != "Carol" || form.field("email") != "carol@example.com" || strings.Contains(form.body, "mallory") {
		t.Errorf("of a sign-up all but the password must be kept:\n%s", form.body)
	}
	alice.changePassword(alicesPassword, newPassword).isTurnedAway()
	form = alice.post("/account/email", "current_password", alicesPassword, "email", "liddell@example.com").isTurnedAway()
	if form.field("email") != "liddell@example.com" {
		t.Error("the new address is lost")
	}
	for _, path := range []string{"/account/sessions/confirm", "/account/sessions/revoke-others", "/account/sessions/" + handle + "/revoke"} {
		alice.post(path, "current_password", alicesPassword).isTurnedAway()
	}
	admin.post("/admin/sessions/revoke-all", "current_password", "coat-check-admin").isTurnedAway()
	admin.post("/admin/sessions/revoke-all", "current_password", "a wrong guess").isTurnedAway()

	// Everybody else notices nothing.
	stranger := s.browser()
	stranger.get("/").is(http.StatusOK)
	stranger.get("/login").is(http.StatusOK)
	stranger.add("camel-overcoat")
	alice.add("camel-overcoat")
	alice.order()

	statuses := disperse()
	away := statuses[http.StatusServiceUnavailable]
	delete(statuses, http.StatusServiceUnavailable)
	if atOnce := max(1, runtime.GOMAXPROCS(0)-1); !maps.Equal(statuses, map[int]int{http.StatusSeeOther: atOnce + 1}) {
		t.Errorf("of Bob's sign-ins %d were turned away, and to the others were answered %v, want %d to be let in", away, statuses, atOnce+1)
	}
	// To be turned away is no failure, and nothing has been done.
	if n := s.number(`SELECT count(*) FROM sign_in_failures`); n != 0 {
		t.Errorf("%d failures are counted", n)
	}
	if n := s.number(`SELECT count(*) FROM session_events WHERE kind = $1`, pgstore.Refused); n != 0 {
		t.Errorf("%d failures are on record", n)
	}
	if s.picture()["users"] != users {
		t.Error("an account has changed")
	}
	for message, want := range map[string]int{"sign-in turned away": away + 2, "password turned away": 8, "failed": 0, "unavailable": 0} {
		if n := s.log.count(message); n != want {
			t.Errorf("the log says %q %d times, want %d", message, n, want)
		}
	}
	alice.post("/account/sessions/confirm", "current_password", alicesPassword).leadsTo("/account/sessions")
	admin.isSignedIn()
}

// To change a password takes two turns. When it is the second that is not to be
// had, nothing has changed, and the visitor is told so.
func TestPasswordChangesWholeOrNotAtAllInACrowd(t *testing.T) {
	t.Parallel()
	// The shop asks for the time between the two turns. The first, which finds
	// the current password right, has forgotten the failures by then.
	var s *shop
	var armed atomic.Bool
	between, goOn := make(chan struct{}), make(chan struct{})
	s = openOn(t, pool(t, int32(runtime.GOMAXPROCS(0))+4), oneWaits(t), func(c *web.Config) {
		now := c.Now
		c.Now = func() time.Time {
			if armed.Load() && s.number(`SELECT count(*) FROM sign_in_failures`) == 0 {
				armed.Store(false)
				close(between)
				<-goOn
			}
			return now()
		}
	})
	alice := s.signedInAs("alice")
	s.browser().guess("alice@example.com", "a wrong guess", "").is(http.StatusUnprocessableEntity)
	users := s.picture()["users"]

	armed.Store(true)
	answers := make(chan answer)
	go func() { answers <- alice.changePassword(alicesPassword, newPassword) }()
	select {
	case <-between:
	case a := <-answers:
		t.Fatalf("%s has taken one turn, or none: %s", a.what(), a.Status)
	}
	_, disperse := s.crowd()
	close(goOn)
	(<-answers).isTurnedAway()
	disperse()
	if s.picture()["users"] != users {
		t.Error("an account has changed")
	}
	alice.changePassword(alicesPassword, newPassword).leadsTo("/account")
}
