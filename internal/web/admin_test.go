package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const adminsPassword = "coat-check-admin"

// adminPath is the address of a user's page, or of an act on that user.
func (s *shop) adminPath(name string, act ...string) string {
	s.t.Helper()
	return strings.Join(append([]string{fmt.Sprintf("/admin/users/%d", s.user(name))}, act...), "/")
}

// ASVS 8.2: every route, every method, every role.
func TestAdministrationIsThereForAdministratorsAlone(t *testing.T) {
	t.Parallel()
	s := open(t)
	guest, alice, admin := s.browser(), s.signedInAs("alice"), s.signedInAs("admin")
	guest.add("camel-overcoat")
	nobodys := []*browser{s.browser(), guest, alice}
	routes := map[string]string{ // and the method that is for administrators
		"/admin":                                  http.MethodGet,
		s.adminPath("bob"):                        http.MethodGet,
		s.adminPath("bob", "disable"):             http.MethodPost,
		s.adminPath("bob", "enable"):              http.MethodPost,
		s.adminPath("bob", "revoke-sessions"):     http.MethodPost,
		"/admin/sessions/revoke-all":              http.MethodPost,
		"/admin/nothing":                          "",
		"/admin/users/" + strings.Repeat("9", 30): "",
	}
	bob := s.signedInAs("bob")
	before := s.picture()
	for path, method := range routes {
		for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
			for _, b := range nobodys {
				r := b.form(path, "current_password", alicesPassword)
				r.Method = m
				b.do(r).is(http.StatusNotFound)
			}
			if m != method && !(m == http.MethodHead && method == http.MethodGet) {
				r := admin.request(m, path)
				admin.do(r).is(http.StatusNotFound)
			}
		}
	}
	s.unchanged(before, "what is not for them")
	bob.isSignedIn()
	for path, method := range routes {
		switch method {
		case http.MethodGet:
			admin.get(path).is(http.StatusOK)
		case http.MethodPost:
			admin.post(path, "current_password", adminsPassword).is(http.StatusSeeOther)
		}
	}
	for _, b := range nobodys {
		if strings.Contains(b.get("/").body, `href="/admin"`) {
			t.Error("there is a link to the administration for somebody who is no administrator")
		}
	}
}

// ASVS 8.3.2
func TestChangedRoleCountsAtTheNextRequest(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, admin := s.signedInAs("alice"), s.signedInAs("admin")
	s.exec(`UPDATE users SET role = 'customer' WHERE email = 'admin@example.com'`)
	admin.get("/admin").is(http.StatusNotFound)
	admin.post(s.adminPath("alice", "disable")).is(http.StatusNotFound)
	admin.post("/admin/sessions/revoke-all", "current_password", adminsPassword).is(http.StatusNotFound)
	s.exec(`UPDATE users SET role = 'administrator' WHERE email = 'alice@example.com'`)
	alice.get("/admin").is(http.StatusOK)
	admin.isSignedIn()
}

// ASVS 7.4.2
func TestDisabledAccountIsOutAtOnceAndStaysOut(t *testing.T) {
	t.Parallel()
	s := open(t)
	admin, bob := s.signedInAs("admin"), s.signedInAs("bob")
	all := []*browser{s.signedInAs("alice"), s.signedInAs("alice"), s.signedInAs("alice")}
	admin.post(s.adminPath("alice", "disable")).leadsTo(s.adminPath("alice"))
	if n := len(s.handles("alice")); n != 0 {
		t.Errorf("Alice has %d sessions left", n)
	}
	for _, b := range all {
		b.isDead()
		b.signInWith(alicesPassword).is(http.StatusUnprocessableEntity).says("closed for now")
		b.signInWith("wrong").is(http.StatusUnprocessableEntity).says("do not go together")
		b.isDead()
	}
	bob.isSignedIn()
	if page := admin.get("/admin"); !strings.Contains(page.body, "disabled") {
		t.Error("the list of users does not say that the account is disabled")
	}
	admin.post(s.adminPath("alice", "disable")).leadsTo(s.adminPath("alice")) // once more does no harm
	admin.post(s.adminPath("alice", "enable")).leadsTo(s.adminPath("alice"))
	all[0].signIn("alice")
	by := fmt.Sprintf(" by administrator %d", s.user("admin"))
	s.onRecord("alice", `done_by <> ''`, "account disabled"+by, "revoked"+by, "revoked"+by, "revoked"+by, "account disabled"+by, "account enabled"+by)
}

// Also a session that outlived the disabling, by whatever fault, opens nothing.
func TestSessionOfADisabledUserIsTurnedAway(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	s.exec(`UPDATE users SET disabled_at = now() WHERE email = 'alice@example.com'`)
	alice.get("/account").leadsTo("/login")
	alice.get("/login").is(http.StatusOK).says("ended")
}

func TestAdministratorCannotDisableTheirOwnAccount(t *testing.T) {
	t.Parallel()
	s := open(t)
	admin := s.signedInAs("admin")
	before := s.picture()
	admin.post(s.adminPath("admin", "disable")).is(http.StatusUnprocessableEntity).says("your own account")
	s.unchanged(before, "an administrator's try to disable themselves")
	admin.isSignedIn()
}

// ASVS 7.4.5
func TestAdministratorEndsAUsersSessions(t *testing.T) {
	t.Parallel()
	s := open(t)
	admin, other, bob := s.signedInAs("admin"), s.signedInAs("admin"), s.signedInAs("bob")
	alice, phone := s.signedInAs("alice"), s.signedInAs("alice")
	page := admin.get(s.adminPath("alice")).is(http.StatusOK)
	if shown, _ := page.stubs(); !slices.Equal(shown, s.handles("alice")) {
		t.Errorf("the user's page shows the sessions %q, want %q", shown, s.handles("alice"))
	}
	admin.post(s.adminPath("alice", "revoke-sessions")).leadsTo(s.adminPath("alice"))
	alice.isDead()
	phone.isDead()
	bob.isSignedIn()
	alice.signIn("alice") // nothing else has happened to the account

	admin.post(s.adminPath("admin", "revoke-sessions")).leadsTo(s.adminPath("admin"))
	other.isDead()
	admin.isSignedIn()
	by := fmt.Sprintf("revoked by administrator %d", s.user("admin"))
	s.onRecord("alice", `done_by <> ''`, by, by)
	s.onRecord("admin", `done_by <> ''`, by)
	if page := admin.get(s.adminPath("alice")); !strings.Contains(page.body, "Ended from elsewhere, by the administrator") {
		t.Error("the user's page does not show what is on record")
	}
}

// ASVS 7.5.3
func TestEndingEverybodysSessionsAsksForThePassword(t *testing.T) {
	t.Parallel()
	s := open(t)
	admin, second, alice, guest := s.signedInAs("admin"), s.signedInAs("admin"), s.signedInAs("alice"), s.browser()
	guest.add("camel-overcoat")
	before := s.picture()
	admin.post("/admin/sessions/revoke-all").is(http.StatusUnprocessableEntity).says("current password") // fresh as it is
	s.unchanged(before, "ending all without a password")
	for _, wrong := range []string{"wrong", alicesPassword} {
		admin.post("/admin/sessions/revoke-all", "current_password", wrong).is(http.StatusUnprocessableEntity)
	}
	s.unchanged(before, "ending all with a wrong password", "sign_in_failures", "session_events")

	s.clock.advance(time.Second)
	copied := admin.copyOf()
	admin.post("/admin/sessions/revoke-all", "current_password", adminsPassword).leadsTo("/admin")
	if n := s.number(`SELECT count(*) FROM sessions`); n != 1 {
		t.Errorf("%d sessions are left, want one", n)
	}
	for _, b := range []*browser{second, alice, copied} {
		b.isDead()
	}
	if n := guest.get("/cart").cartCount(); n != 0 {
		t.Errorf("the guest's ticket still shows %d pieces", n)
	}
	if admin.ticket() == copied.ticket() {
		t.Error("the administrator's ID is the same")
	}
	admin.get("/admin").is(http.StatusOK).says("Everybody")
	by := fmt.Sprintf(" by administrator %d", s.user("admin"))
	s.onRecord("admin", `done_by <> ''`, "everybody's sessions revoked"+by, "revoked"+by)
	s.onRecord("alice", `done_by <> ''`, "revoked"+by)
	if n := s.number(`SELECT count(*) FROM session_events WHERE kind = 'revoked' AND user_id IS NULL`); n != 1 {
		t.Errorf("the end of the guest's session is on record %d times, want once", n)
	}
}

func TestUnknownUsersAreNotFound(t *testing.T) {
	t.Parallel()
	s := open(t)
	admin := s.signedInAs("admin")
	before := s.picture()
	for _, id := range []string{"999999", "0", "-1", "abc", "1e3", "1.0", "%00", "%ff", "9223372036854775808", "1%20"} {
		admin.get("/admin/users/" + id).is(http.StatusNotFound)
		for _, act := range []string{"disable", "enable", "revoke-sessions"} {
			admin.post("/admin/users/" + id + "/" + act).is(http.StatusNotFound)
		}
	}
	s.unchanged(before, "an unknown user")
}

func TestAdministratorFindsUsers(t *testing.T) {
	t.Parallel()
	s := open(t)
	admin := s.signedInAs("admin")
	for search, want := range map[string]string{
		"": "alice@ bob@ admin@", "ALI": "alice@", "bob@example": "bob@", "%25": "", "_": "", "no such": "", "%00": "alice@ bob@ admin@", "%ff": "alice@ bob@ admin@",
	} {
		page := admin.get("/admin?q=" + strings.ReplaceAll(search, " ", "+")).is(http.StatusOK)
		for _, email := range []string{"alice@", "bob@", "admin@"} {
			if got := strings.Contains(page.body, ">"+email+"example.com<"); got != strings.Contains(want, email) {
				t.Errorf("the search for %q finds %s: %t", search, email, got)
			}
		}
	}
	s.exec(`INSERT INTO users (email, name, password_hash, created_at) SELECT 'u' || i || '@example.com', 'User', 'x', now() FROM generate_series(1, 60) i`)
	if rows := strings.Count(admin.get("/admin").says("").body, `href="/admin/users/`); rows != 50 {
		t.Errorf("the page lists %d users, want 50", rows)
	}
}
