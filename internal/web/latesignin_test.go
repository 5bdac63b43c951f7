package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/web"
)

// A doorman is a session store that lets one call wait.
type doorman struct {
	sessions.Store
	mu    sync.Mutex
	calls map[string]func() // by name, what to do first, once
}

func openWithDoorman(t *testing.T) (*shop, *doorman) {
	t.Helper()
	db := pgtest.New(t)
	door := &doorman{Store: pgstore.New(db)}
	return openOn(t, db, func(c *web.Config) { c.Store = door }), door
}

// stop lets the next call of that name wait until it is let go.
func (d *doorman) stop(call string) (arrived <-chan struct{}, letGo func()) {
	here, goOn := make(chan struct{}), make(chan struct{})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = map[string]func(){call: func() { close(here); <-goOn }}
	return here, func() { close(goOn) }
}

func (d *doorman) pass(call string) {
	d.mu.Lock()
	wait := d.calls[call]
	delete(d.calls, call)
	d.mu.Unlock()
	if wait != nil {
		wait()
	}
}

func (d *doorman) Create(ctx context.Context, k sessions.Key, s sessions.Session, e sessions.Event) error {
	d.pass("Create")
	return d.Store.Create(ctx, k, s, e)
}

func (d *doorman) Move(ctx context.Context, old, new sessions.Key, s sessions.Session, e sessions.Event) error {
	d.pass("Move")
	return d.Store.Move(ctx, old, new, s, e)
}

func (d *doorman) DeleteByUser(ctx context.Context, userID int64, keep sessions.Key, e sessions.Event) (int, error) {
	d.pass("DeleteByUser")
	return d.Store.DeleteByUser(ctx, userID, keep, e)
}

func (d *doorman) DeleteOldest(ctx context.Context, userID int64, most int, keep sessions.Key, e sessions.Event) (int, error) {
	d.pass("DeleteOldest")
	return d.Store.DeleteOldest(ctx, userID, most, keep, e)
}

// A sign-in whose password was right a moment ago, and which is about to file
// its session, or has just filed it, leaves none when the password has been
// changed meanwhile, or the account disabled.
func TestLateSignInLeavesNoSession(t *testing.T) {
	t.Parallel()
	for what, act := range map[string]func(*shop){
		"the password is changed": func(s *shop) {
			s.signedInAs("alice").changePassword(alicesPassword, newPassword).leadsTo("/account")
		},
		"the account is disabled": func(s *shop) {
			s.signedInAs("admin").post(s.adminPath("alice", "disable")).is(http.StatusSeeOther)
		},
	} {
		for at, guest := range map[string]bool{"Create": false, "Move": true, "DeleteOldest": false} {
			t.Run(what+" before "+at, func(t *testing.T) {
				t.Parallel()
				s, door := openWithDoorman(t)
				late := s.browser()
				if guest {
					late.add("camel-overcoat")
				}
				arrived, letGo := door.stop(at)
				answered := make(chan answer)
				go func() { answered <- late.signInWith(alicesPassword) }()
				<-arrived
				act(s)
				letGo()
				a := (<-answered).is(http.StatusUnprocessableEntity).says("do not go together")
				if a.text("account-name") != "" {
					t.Errorf("the answer knows %q", a.text("account-name"))
				}
				late.isDead()
				if n := s.number(`SELECT count(*) FROM sessions WHERE user_id = $1`, s.user("alice")); n > 1 {
					t.Errorf("Alice has %d sessions, want at most the one that changed the password", n)
				}
			})
		}
	}
}

// Who closes the window in the middle has changed the password all the same,
// so the thief must go all the same.
func TestChangeIsFinishedAlthoughTheVisitorLeaves(t *testing.T) {
	t.Parallel()
	for call, c := range map[string]struct {
		who  string
		form func(*shop, *browser) *http.Request
	}{
		"Move": {"alice", func(_ *shop, b *browser) *http.Request {
			return b.form("/account/password", "current_password", alicesPassword, "new_password", newPassword)
		}},
		"DeleteByUser": {"admin", func(s *shop, b *browser) *http.Request {
			return b.form(s.adminPath("alice", "disable"))
		}},
	} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			s, door := openWithDoorman(t)
			thief, b := s.signedInAs("alice"), s.signedInAs(c.who)
			ctx, leave := context.WithCancel(t.Context())
			r := c.form(s, b).WithContext(ctx)
			r.AddCookie(&http.Cookie{Name: "session", Value: b.ticket()})
			door.calls = map[string]func(){call: leave}
			s.ServeHTTP(httptest.NewRecorder(), r)
			if ctx.Err() == nil {
				t.Fatal("the visitor has not left")
			}
			thief.isDead()
		})
	}
}

// X9: while one tab ends the others, another tab gets a new ID, which is none
// of the others.
func TestEndingOthersSparesWhatThisOneHasMovedTo(t *testing.T) {
	t.Parallel()
	s, door := openWithDoorman(t)
	alice := s.signedInAs("alice")
	tab := alice.copyOf()
	arrived, letGo := door.stop("DeleteByUser")
	answered := make(chan answer)
	go func() { answered <- tab.post("/account/sessions/revoke-others") }()
	<-arrived
	alice.post("/account/email", "current_password", alicesPassword, "email", "alice@example.org").leadsTo("/account")
	letGo()
	a := (<-answered).leadsTo("/account/sessions")
	if len(a.sets("notice")) != 0 {
		t.Error("the tab claims to have ended the others, and does not know")
	}
	alice.isSignedIn()
}

// The password is changed because of a thief, who ends all other sessions at
// that very moment, the one that changes the password among them.
func TestThiefCannotSurviveAChangeOfPassword(t *testing.T) {
	t.Parallel()
	s, door := openWithDoorman(t)
	alice, thief := s.signedInAs("alice"), s.signedInAs("alice")
	arrived, letGo := door.stop("DeleteByUser")
	answered := make(chan answer)
	go func() { answered <- alice.changePassword(alicesPassword, newPassword) }()
	<-arrived
	thief.post("/account/sessions/revoke-others").leadsTo("/account/sessions")
	letGo()
	(<-answered).leadsTo("/account")
	thief.isDead()
	if n := s.number(`SELECT count(*) FROM sessions WHERE user_id = $1`, s.user("alice")); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// A session that has ended while it gave the password has lost the right to
// end others.
func TestEndedSessionEndsNoOther(t *testing.T) {
	t.Parallel()
	s, door := openWithDoorman(t)
	other := s.signedInAs("alice")
	var handle string
	if err := s.db.QueryRow(t.Context(), `SELECT handle FROM sessions`).Scan(&handle); err != nil {
		t.Fatal(err)
	}
	alice := s.signedInAs("alice")
	thief := alice.copyOf()
	s.clock.advance(6 * time.Minute) // not fresh any more
	arrived, letGo := door.stop("Move")
	answered := make(chan answer)
	go func() {
		answered <- thief.post("/account/sessions/"+handle+"/revoke", "current_password", alicesPassword)
	}()
	<-arrived
	alice.post("/logout").leadsTo("/")
	letGo()
	(<-answered).leadsTo("/account/sessions")
	other.isSignedIn()
	thief.isDead()
}
