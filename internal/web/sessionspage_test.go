package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const stale = 5 * time.Minute // after which the password is asked for again

// signInFrom signs in from an address, with a browser of that name.
func (b *browser) signInFrom(name, address, agent string) {
	b.t.Helper()
	r := b.form("/login", "email", name+"@example.com", "password", "coat-check-"+name)
	r.Header.Set("X-Forwarded-For", address)
	r.Header.Set("User-Agent", agent)
	b.do(r).is(http.StatusSeeOther)
}

// wantList expects the page to show what the database holds.
func (b *browser) wantList(name string) answer {
	b.t.Helper()
	page := b.get("/account/sessions").is(http.StatusOK)
	shown, current := page.stubs()
	if want := b.shop.handles(name); !slices.Equal(shown, want) {
		b.t.Errorf("the page shows the sessions %q, want %q", shown, want)
	}
	mine := b.shop.texts(`SELECT handle FROM sessions WHERE key = $1`, key(b.ticket()))
	if !slices.Equal(mine, []string{current}) {
		b.t.Errorf("the page marks %q as the current one, want %q", current, mine)
	}
	return page
}

// ASVS 7.5.2
func TestSessionsPageShowsWhatIsInTheStore(t *testing.T) {
	t.Parallel()
	s := open(t, behindAProxy)
	alice, phone := s.browser(), s.browser()
	alice.signInFrom("alice", "203.0.113.9", "Desk/1.0 (oak)")
	s.clock.advance(time.Second)
	phone.signInFrom("alice", "198.51.100.7", "Phone/2.0 <b>small</b>")
	s.signedInAs("bob")
	for _, b := range []*browser{alice, phone} {
		// What it asks from, and with, now is not what it signed in from.
		page := b.wantList("alice")
		for _, want := range []string{"203.0.113.9", "Desk/1.0 (oak)", "198.51.100.7", "Phone/2.0 &lt;b&gt;small&lt;/b&gt;"} {
			if !strings.Contains(page.body, want) {
				t.Errorf("the page does not show %s", want)
			}
		}
		if strings.Contains(page.body, "Go-http-client") || strings.Contains(page.body, "127.0.0.1") {
			t.Error("the page shows who looks at it rather than who signed in")
		}
	}
	s.exec(`UPDATE sessions SET idle_until = $1 WHERE handle = $2`, s.clock.Now(), s.handles("alice")[0])
	if shown, _ := alice.get("/account/sessions").stubs(); len(shown) != 1 {
		t.Errorf("the page shows %q; one of them has timed out", shown)
	}
}

func TestSessionsPageTellsTheStoryOfItsSession(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, bob := s.browser(), s.browser()
	alice.add("camel-overcoat")
	guest := s.texts(`SELECT handle FROM sessions`)[0]
	alice.signIn("alice")
	bob.add("camel-overcoat")
	stranger := s.texts(`SELECT handle FROM sessions WHERE user_id IS NULL`)[0]
	bob.signIn("bob")
	signedIn := s.handles("alice")[0]
	s.clock.advance(stale)
	alice.post("/account/sessions/confirm", "current_password", alicesPassword).leadsTo("/account/sessions")
	now := s.handles("alice")[0]

	_, story, _ := strings.Cut(alice.get("/account/sessions").body, `id="story-heading"`)
	last := 0
	for _, want := range []string{"session began.", guest, "Signed in.", guest, signedIn, "Moved to a new ticket.", signedIn, now} {
		at := strings.Index(story[last:], want)
		if at < 0 {
			t.Fatalf("the story does not go on with %q:\n%s", want, story[last:])
		}
		last += at + len(want)
	}
	for _, other := range append(s.handles("bob"), stranger) {
		if strings.Contains(story, other) {
			t.Errorf("the story tells of a stranger's session %s", other)
		}
	}
}

func TestSessionsEndFromTheirPage(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, phone, tablet, bob := s.signedInAs("alice"), s.signedInAs("alice"), s.signedInAs("alice"), s.signedInAs("bob")
	_, handle := phone.get("/account/sessions").stubs()
	ticket := alice.ticket()
	alice.post("/account/sessions/" + handle + "/revoke").leadsTo("/account/sessions")
	phone.isDead()
	tablet.isSignedIn()
	alice.wantList("alice").says("has ended")
	alice.post("/account/sessions/" + handle + "/revoke").is(http.StatusNotFound) // it is no more

	alice.post("/account/sessions/revoke-others").leadsTo("/account/sessions")
	tablet.isDead()
	alice.wantList("alice").says("have ended")
	if alice.ticket() != ticket {
		t.Error("the ID is another one, and no password was given")
	}
	bob.isSignedIn()
	s.onRecord("alice", `kind = 'revoked'`, "revoked by owner", "revoked by owner")

	_, own := alice.get("/account/sessions").stubs()
	alice.post("/account/sessions/" + own + "/revoke").leadsTo("/")
	alice.get("/").says("signed out")
	if n := len(s.handles("alice")); n != 0 || alice.ticket() != "" {
		t.Errorf("there are %d sessions after the last has ended, and the ticket is %q", n, alice.ticket())
	}
}

// ASVS 7.5.2, 8.2
func TestForeignSessionIsNotThere(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, bob, guest := s.signedInAs("alice"), s.signedInAs("bob"), s.browser()
	guest.add("camel-overcoat")
	before := s.picture()
	others := s.texts(`SELECT handle FROM sessions WHERE user_id IS DISTINCT FROM $1`, s.user("alice"))
	if len(others) != 2 {
		t.Fatalf("there are %d other sessions, want Bob's and the guest's", len(others))
	}
	for _, handle := range append(others, "AAAAAAAAAAAA", "0", "%00", "%ff", "' OR true --", strings.Repeat("x", 5000)) {
		alice.post("/account/sessions/" + handle + "/revoke").is(http.StatusNotFound)
	}
	s.unchanged(before, "an attack on other people's sessions")
	bob.isSignedIn()
	for _, path := range []string{"/account/sessions/" + s.handles("alice")[0] + "/revoke", "/account/sessions/revoke-others", "/account/sessions/confirm"} {
		guest.post(path).is(http.StatusSeeOther)
	}
	alice.isSignedIn()
}

func TestSessionsEndOnlyAfterAFreshPassword(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, phone := s.signedInAs("alice"), s.signedInAs("alice")
	_, handle := phone.get("/account/sessions").stubs()
	s.clock.advance(stale)
	alice.get("/") // moves the idle deadline
	before := s.picture()
	acts := []string{"/account/sessions/" + handle + "/revoke", "/account/sessions/revoke-others", "/account/sessions/confirm"}
	for _, path := range acts {
		alice.post(path).is(http.StatusUnprocessableEntity).says("current password")
	}
	s.unchanged(before, "an act without a fresh password")
	for _, path := range acts {
		alice.post(path, "current_password", "wrong").is(http.StatusUnprocessableEntity).says("not your current password")
	}
	s.unchanged(before, "an act with a wrong password", "sign_in_failures", "session_events")
	phone.isSignedIn()

	copied := alice.copyOf()
	alice.post(acts[0], "current_password", alicesPassword).leadsTo("/account/sessions")
	phone.isDead()
	if alice.ticket() == copied.ticket() {
		t.Error("the ID is the same after the password was given again")
	}
	copied.isDead()
	alice.wantList("alice")

	// It is fresh for five minutes and not a moment more.
	s.clock.advance(stale - time.Microsecond)
	alice.post("/account/sessions/revoke-others").leadsTo("/account/sessions")
	s.clock.advance(time.Microsecond)
	alice.post("/account/sessions/revoke-others").is(http.StatusUnprocessableEntity)
}

// A visitor who looks, or puts something into the cart, has not given the
// password by that.
func TestNothingButThePasswordMakesASessionFresh(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	s.clock.advance(stale)
	alice.add("camel-overcoat")
	alice.get("/cart")
	alice.post("/session/extend")
	alice.order()
	alice.post("/account/sessions/revoke-others").is(http.StatusUnprocessableEntity)
}

// Whoever presses the button twice has two requests under way with one ID. The
// second must not end what the first has made.
func TestSecondPressOfTheButtonSignsNobodyOut(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	s.clock.advance(stale)
	alice.get("/")
	copied := alice.copyOf()
	release := s.hold(`SELECT FROM sessions FOR UPDATE`)
	second := make(chan answer)
	alicesSecond := func() {
		second <- copied.post("/account/sessions/revoke-others", "current_password", alicesPassword)
	}
	go alicesSecond()
	s.waitForWaiters(1) // it has verified the password and is about to move
	first := make(chan answer)
	go func() {
		first <- alice.post("/account/sessions/revoke-others", "current_password", alicesPassword)
	}()
	s.waitForWaiters(2)
	release()
	(<-first).leadsTo("/account/sessions")
	(<-second).leadsTo("/account/sessions")
	live := 0
	for _, b := range []*browser{alice, copied} {
		if b.get("/orders").StatusCode == http.StatusOK {
			live++
		}
	}
	if live != 1 {
		t.Errorf("%d of the two new tickets are good, want one", live)
	}
}
