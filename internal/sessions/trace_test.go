package sessions_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/sessions"
)

func TestTraceTellsTheStoryOfASession(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.visitor()
	for _, chapter := range []struct {
		pause time.Duration
		do    act
		told  []string
	}{
		{0, look, []string{"ticket none"}},
		{0, begin(sessions.Refs{CartID: 5}), []string{"ticket none", "store create", "began {0 5}", "cookie sent"}},
		{0, look, []string{"store load", "ticket live"}},
		{2 * time.Minute, look, []string{"store load", "store touch", "ticket live"}},
		{0, signIn(sessions.Refs{UserID: 1, CartID: 5}), []string{"store load", "ticket live", "store move", "moved {0 5} to {1 5}", "cookie sent", "store delete oldest"}},
		{0, signOut, []string{"store load", "ticket live", "store delete", "ended 1 of user 1: signed out", "cookie cleared"}},
		{0, signIn(sessions.Refs{UserID: 1}), []string{"ticket none", "store create", "began {1 0}", "cookie sent", "store delete oldest"}},
		{31 * time.Minute, look, []string{"store load", "store delete", "ended 1 of user 1: idle timeout", "cookie cleared", "ticket idled out"}},
		{0, begin(sessions.Refs{CartID: 6}), []string{"ticket none", "store create", "began {0 6}", "cookie sent"}},
		{12 * time.Hour, look, []string{"store load", "store delete", "ended 1 of user 0: idle timeout", "cookie cleared", "ticket idled out"}},
	} {
		s.clock.turn(chapter.pause)
		if a := v.must(chapter.do); !slices.Equal(a.told, chapter.told) {
			t.Errorf("told %q\nwant %q", a.told, chapter.told)
		}
	}
}

// As in net/http/httptrace, who was added last is told first.
func TestEveryListenerIsTold(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	var told []string
	ctx := t.Context()
	for _, name := range []string{"logs", "metrics", "X-ray"} {
		ctx = sessions.WithTrace(ctx, &sessions.Trace{
			Began: func(context.Context, sessions.Session) { told = append(told, name) },
		})
	}
	ctx = sessions.WithTrace(ctx, &sessions.Trace{}) // who listens to nothing
	s.serve(s.request().WithContext(ctx), begin(sessions.Refs{CartID: 1}))
	if want := []string{"X-ray", "metrics", "logs"}; !slices.Equal(told, want) {
		t.Errorf("told were %q, want %q", told, want)
	}
}

// Listeners write logs and pages, so they must not hear what opens a session.
// Cookie alone hears it, and says so in its comment.
func TestNoTraceButCookieHearsTheID(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	var heard strings.Builder
	hear := func(args ...any) { fmt.Fprintf(&heard, "%+v %#v\n", args, args) }
	s.trace = &sessions.Trace{
		Ticket: func(_ context.Context, t sessions.Ticket, s sessions.Session) { hear(t, s) },
		Found:  func(_ context.Context, s sessions.Session) { hear(s) },
		Store:  func(_ context.Context, call string, took time.Duration, err error) { hear(call, took, err) },
		Began:  func(_ context.Context, s sessions.Session) { hear(s) },
		Moved:  func(_ context.Context, from, to sessions.Session) { hear(from, to) },
		Ended:  func(_ context.Context, e sessions.Event, n int) { hear(e, n) },
	}
	v := s.arrives(sessions.Refs{CartID: 1})
	ids := []string{v.id}
	v.must(signIn(sessions.Refs{UserID: 1}))
	ids = append(ids, v.id)
	repair := s.refuse("DELETE")
	v.does(signOut)
	repair()
	repair = s.breakStore()
	v.does(look)
	repair()
	v.must(signOut)
	if strings.Count(heard.String(), "\n") < 10 {
		t.Fatalf("little was heard: %s", &heard)
	}
	for _, id := range ids {
		key := sha256.Sum256([]byte(id))
		for _, secret := range []string{id, hex.EncodeToString(key[:]), base64.RawURLEncoding.EncodeToString(key[:])} {
			if strings.Contains(heard.String(), secret) {
				t.Errorf("a listener heard %s", secret)
			}
		}
	}
}
