package web_test

import (
	"net/http"
	"testing"
	"time"

	"coatcheck/internal/sessions"
)

var (
	idle     = sessions.DefaultPolicy.Idle
	lifetime = sessions.DefaultPolicy.Lifetime
)

// late is how much later than the idle time a session may end, since a touch
// is not written for every request.
const late = time.Minute

// ASVS 7.3.1
func TestIdleSessionEnds(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	thief := alice.copyOf()
	s.clock.advance(idle - time.Second)
	alice.get("/orders").is(http.StatusOK)
	s.clock.advance(idle - time.Second) // that request counts
	alice.get("/orders").is(http.StatusOK)

	s.clock.advance(idle + late)
	gone := alice.get("/orders").leadsTo("/login?next=%2Forders")
	if set := gone.sets("session"); len(set) != 1 || set[0].MaxAge >= 0 {
		t.Errorf("an idle session's answer sets %v, want the cookie cleared", set)
	}
	if n := s.number(`SELECT count(*) FROM sessions`); n != 0 {
		t.Error("the idle session is still in the store")
	}
	alice.get("/login?next=%2Forders").says("away for a while")
	thief.get("/orders").leadsTo("/login?next=%2Forders")
}

func TestVisitorIsToldOnThePageThatFindsTheSessionIdle(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	alice.get("/")
	s.clock.advance(idle + late)
	page := alice.get("/").is(http.StatusOK).says("away for a while")
	if page.text("account-name") != "" || page.cartCount() != 0 {
		t.Errorf("the page still shows %q with %d pieces", page.text("account-name"), page.cartCount())
	}
	alice.signIn("alice")
	if n := alice.get("/").cartCount(); n != 1 {
		t.Errorf("after the next sign-in the cart holds %d pieces, want 1", n)
	}
}

// ASVS 7.3.2
func TestBusySessionEndsToo(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	for used := time.Duration(0); used < lifetime-10*time.Minute; used += 10 * time.Minute {
		alice.get("/orders").is(http.StatusOK)
		s.clock.advance(10 * time.Minute)
	}
	s.clock.advance(10*time.Minute - time.Second)
	alice.get("/orders").is(http.StatusOK)
	s.clock.advance(time.Second)
	alice.get("/orders").leadsTo("/login?next=%2Forders")
	alice.get("/login").says("longest life")
}

// Signing in anew is the way to stay longer.
func TestSignInBeginsANewLife(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	for range 24 {
		s.clock.advance(29 * time.Minute)
		alice.get("/orders").is(http.StatusOK)
	}
	alice.signIn("alice")
	for range 24 {
		s.clock.advance(29 * time.Minute)
		alice.get("/orders").is(http.StatusOK)
	}
}

func TestAdditionAfterTheTimeoutBeginsAGuestsCart(t *testing.T) {
	t.Parallel()
	for _, swept := range []bool{false, true} {
		s := open(t)
		alice := s.signedInAs("alice")
		alice.add("camel-overcoat")
		old := alice.ticket()
		s.clock.advance(idle + late)
		if swept {
			s.exec(`DELETE FROM sessions`)
		}

		alice.add("navy-peacoat").leadsTo("/cart")
		page := alice.get("/cart").says("earlier session had ended")
		if page.text("account-name") != "" || page.cartCount() != 1 || alice.ticket() == old {
			t.Errorf("%q has %d pieces; want a guest with 1, under a new ID", page.text("account-name"), page.cartCount())
		}
		alice.signIn("alice")
		if n := alice.get("/cart").cartCount(); n != 2 {
			t.Errorf("after the sign-in the cart holds %d pieces, want 2", n)
		}
	}
}

func TestChangeAfterTheTimeoutIsToldAndHarmless(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	s.clock.advance(idle + late)
	alice.post("/cart/items/camel-overcoat", "quantity", "0").leadsTo("/cart")
	alice.get("/cart").says("has ended")
	alice.signIn("alice")
	if n := alice.get("/cart").cartCount(); n != 1 {
		t.Errorf("the cart holds %d pieces, want the 1 that was there", n)
	}
}

// X15: a page writes the idle deadline only when it is worth it; an asset
// never does.
func TestTouchesAreRareAndNeverByAssets(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	asset := alice.asset()
	before := s.picture()
	for range 59 {
		alice.get("/")
		s.clock.advance(time.Second)
	}
	s.unchanged(before, "a page within the first minute")

	s.clock.advance(20 * time.Minute)
	for _, path := range []string{asset, "/static/none.css", "/healthz", "/readyz"} {
		alice.get(path)
	}
	s.unchanged(before, "an asset")
	alice.get("/")
	touched := s.picture()
	if before["sessions"] == touched["sessions"] {
		t.Error("a page after twenty minutes has not moved the deadline")
	}
	alice.get("/")
	s.unchanged(touched, "a second page at the same moment")
}
