package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/auth"
)

const (
	alicesPassword = "coat-check-alice"
	newPassword    = "a rail full of coats"
)

// changePassword sends the form that changes a password.
func (b *browser) changePassword(current, new string) answer {
	b.t.Helper()
	return b.post("/account/password", "current_password", current, "new_password", new)
}

// signInWith gives the answer to a sign-in as Alice.
func (b *browser) signInWith(password string) answer {
	b.t.Helper()
	return b.post("/login", "email", "alice@example.com", "password", password)
}

// ASVS 7.4.3, 7.2.4
func TestChangedPasswordEndsAllOtherSessions(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, phone, thief, bob := s.signedInAs("alice"), s.signedInAs("alice"), s.signedInAs("alice"), s.signedInAs("bob")
	alice.add("camel-overcoat")
	copied := alice.copyOf()
	alice.changePassword(alicesPassword, newPassword).leadsTo("/account")
	if n := len(s.handles("alice")); n != 1 {
		t.Errorf("Alice has %d sessions left, want the one that changed the password", n)
	}
	if alice.ticket() == copied.ticket() {
		t.Error("the ID is the same after the change")
	}
	for _, b := range []*browser{phone, thief, copied} {
		b.isDead()
	}
	if page := alice.get("/account").is(http.StatusOK).says("has been changed"); page.cartCount() != 1 {
		t.Errorf("after the change the cart holds %d pieces, want 1", page.cartCount())
	}
	bob.isSignedIn()
	phone.signInWith(alicesPassword).is(http.StatusUnprocessableEntity)
	phone.signInWith(newPassword).leadsTo("/")

	want := []string{"password changed by owner", "revoked by owner", "revoked by owner"}
	s.onRecord("alice", `kind IN ('password changed', 'revoked')`, want...)
}

// onRecord expects these events of a user: what happened, and who did it.
func (s *shop) onRecord(name, where string, want ...string) {
	s.t.Helper()
	got := s.texts(`SELECT kind || ' by ' || done_by FROM session_events WHERE user_id = $1 AND `+where+` ORDER BY id`, s.user(name))
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		s.t.Errorf("on record of %s is %q, want %q", name, got, want)
	}
}

// ASVS 7.5.1, 6.2.3: without the current password nothing changes.
func TestAccountIsChangedOnlyWithTheCurrentPassword(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, phone := s.signedInAs("alice"), s.signedInAs("alice")
	before := s.picture()
	for _, wrong := range []string{"", "wrong", "coat-check-bob", newPassword} {
		for _, a := range []answer{
			alice.changePassword(wrong, newPassword),
			alice.post("/account/email", "current_password", wrong, "email", "new@example.com"),
		} {
			a.is(http.StatusUnprocessableEntity).says("your current password")
			if len(a.sets("session")) != 0 || strings.Contains(a.body, newPassword) {
				t.Errorf("%s sets %v, or tells the new password", a.what(), a.sets("session"))
			}
		}
	}
	alice.post("/account/password", "new_password", newPassword).is(http.StatusUnprocessableEntity)
	alice.post("/account/email", "email", "new@example.com").is(http.StatusUnprocessableEntity)
	s.unchanged(before, "a change without the password", "sign_in_failures", "session_events")
	phone.isSignedIn()

	// A new password that will not do changes nothing either.
	s.exec(`DELETE FROM sign_in_failures`)
	before = s.picture()
	for _, bad := range []string{"", "short", "password123", strings.Repeat("x", 1001)} {
		alice.changePassword(alicesPassword, bad).is(http.StatusUnprocessableEntity).says("password")
	}
	for _, bad := range []string{"", "alice", "alice@example.com, bob@example.com"} {
		alice.post("/account/email", "current_password", alicesPassword, "email", bad).is(http.StatusUnprocessableEntity).says("e-mail address")
	}
	s.unchanged(before, "a bad change")
}

func TestGuessesAtTheCurrentPasswordAreThrottled(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	s.clock.advance(10 * time.Minute)
	// They are counted together, wherever they are made.
	guesses := []func(password string) answer{
		func(p string) answer { return alice.changePassword(p, newPassword) },
		func(p string) answer {
			return alice.post("/account/email", "current_password", p, "email", "new@example.com")
		},
		func(p string) answer { return alice.post("/account/sessions/confirm", "current_password", p) },
		func(p string) answer { return alice.post("/account/sessions/revoke-others", "current_password", p) },
		func(p string) answer { return s.browser().signInWith(p) },
	}
	for i := range auth.DefaultFailures {
		guesses[i%len(guesses)]("wrong").is(http.StatusUnprocessableEntity)
	}
	for _, guess := range guesses {
		if a := guess(alicesPassword).is(http.StatusTooManyRequests); a.Header.Get("Retry-After") != "900" {
			t.Errorf("%s: Retry-After is %q, want 900", a.what(), a.Header.Get("Retry-After"))
		}
	}
	if n := s.number(`SELECT count(*) FROM session_events WHERE kind = 'sign-in refused' AND user_id = $1`, s.user("alice")); n != auth.DefaultFailures+len(guesses) {
		t.Errorf("%d refusals are on record, want each of %d", n, auth.DefaultFailures+len(guesses))
	}
	alice.isSignedIn()
	s.clock.advance(15 * time.Minute)
	alice.changePassword(alicesPassword, newPassword).leadsTo("/account")
}

func TestChangedEmailIsTheOneToSignInWith(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, phone := s.signedInAs("alice"), s.signedInAs("alice")
	copied := alice.copyOf()
	alice.post("/account/email", "current_password", alicesPassword, "email", " Liddell@Example.com ").leadsTo("/account")
	copied.isDead()
	phone.isSignedIn() // the password is the same
	if page := alice.get("/account").is(http.StatusOK).says("has been changed"); !strings.Contains(page.body, "liddell@example.com") {
		t.Error("the page does not show the new address")
	}
	s.browser().signInWith(alicesPassword).is(http.StatusUnprocessableEntity)
	s.browser().post("/login", "email", "liddell@example.com", "password", alicesPassword).leadsTo("/")
	if n := s.number(`SELECT count(*) FROM session_events WHERE kind = 'e-mail changed' AND done_by = 'owner'`); n != 1 {
		t.Errorf("the change is on record %d times, want once", n)
	}
}

// Whether somebody has an account can be asked this way, so not often.
func TestTakenEmailIsRefusedAndAskingIsThrottled(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	before := s.picture()
	ask := func() answer {
		return alice.post("/account/email", "current_password", alicesPassword, "email", "BOB@example.com")
	}
	for range auth.DefaultFailures {
		ask().is(http.StatusUnprocessableEntity).says("cannot be used")
	}
	if got := ask().is(http.StatusTooManyRequests).Header.Get("Retry-After"); got != "900" {
		t.Errorf("Retry-After is %q, want 900", got)
	}
	s.unchanged(before, "a taken address", "sign_in_failures")
	s.signedInAs("bob")
}

// X9: whatever is under way with the old ID neither fails nor takes the new
// cookie away.
func TestWorkInFlightDuringAChangeOfPasswordSignsNobodyOut(t *testing.T) {
	t.Parallel()
	s := open(t, demo) // where no request waits together with another
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	old := alice.copyOf()

	answers := make(chan answer)
	release := s.hold(`LOCK TABLE cart_items`)
	for _, r := range []*http.Request{
		old.request(http.MethodGet, "/"), old.request(http.MethodGet, "/cart"), old.request(http.MethodGet, "/products/navy-peacoat"),
		old.form("/cart/items", "product", "navy-peacoat", "quantity", "1"),
		old.form("/cart/items/camel-overcoat", "quantity", "2"),
	} {
		go func() { answers <- old.do(r) }()
	}
	s.waitForWaiters(5) // each knows its session
	alice.changePassword(alicesPassword, newPassword).leadsTo("/account")
	release()
	for range 5 {
		a := <-answers
		if a.StatusCode >= 400 || len(a.sets("session")) != 0 {
			t.Errorf("%s: %s, sets %v", a.what(), a.Status, a.sets("session"))
		}
	}
	if a := old.get("/"); len(a.sets("session")) != 0 { // and what comes late
		t.Errorf("%s sets %v", a.what(), a.sets("session"))
	}
	alice.isSignedIn()
	if n := alice.get("/cart").cartCount(); n != 3 {
		t.Errorf("the cart holds %d pieces, want all 3", n)
	}
}

// The password is changed, and the session store fails before the other
// sessions have ended: that must not look as if all were well.
func TestChangeOfPasswordThatIsNotFinishedSaysSo(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, thief := s.signedInAs("alice"), s.signedInAs("alice")
	s.exec(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$`)
	_, handle := thief.get("/account/sessions").stubs()
	before := s.texts(`SELECT password_hash FROM users WHERE name = 'Alice'`)[0]
	for at, tickets := range map[string]int{
		"INSERT ON sessions FOR EACH ROW":                                      0, // the move to a new ID
		"DELETE ON sessions FOR EACH ROW WHEN (OLD.handle = '" + handle + "')": 1, // the end of the others, after it
	} {
		s.exec(`CREATE TRIGGER fail BEFORE ` + at + ` EXECUTE FUNCTION fail()`)
		a := alice.changePassword(alicesPassword, newPassword).is(http.StatusServiceUnavailable)
		if !strings.Contains(a.body, "other sessions of your account may still be open") || len(a.sets("session")) != tickets {
			t.Errorf("%s fails: the answer sets %v and says:\n%s", at, a.sets("session"), a.body)
		}
		s.exec(`DROP TRIGGER fail ON sessions`)
		alice.isSignedIn()
		thief.isSignedIn()
		s.exec(`UPDATE users SET password_hash = $1 WHERE name = 'Alice'`, before)
	}
	alice.changePassword(alicesPassword, newPassword).leadsTo("/account") // once more, and it is finished
	thief.isDead()
}
