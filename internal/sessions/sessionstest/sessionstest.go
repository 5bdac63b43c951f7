// Package sessionstest is the contract of [sessions.Store], written as tests.
// Every store runs this one suite, so a sentence in the interface's comment
// holds in all of them.
//
// Read calls.go and moves.go first: one call at a time. Then users.go and
// sweep.go, and last races.go, where the calls meet each other: dead stays dead.
package sessionstest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"coatcheck/internal/sessions"
)

// Run tests the store that open gives. It is called once for each test and
// gives an empty store, which the test has to itself.
func Run(t *testing.T, open func(t *testing.T) sessions.Store) {
	for _, part := range [][]test{calls, moves, users, sweeps, races()} {
		for _, test := range part {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				test.run(room{t, t.Context(), open(t)})
			})
		}
	}
}

type test struct {
	name string
	run  func(r room)
}

// room is a store under test.
type room struct {
	*testing.T
	ctx   context.Context
	store sessions.Store
}

// filed is a session and the key that it is filed under.
type filed struct {
	key sessions.Key
	sessions.Session
}

const (
	idle     = 30 * time.Minute
	lifetime = 12 * time.Hour
)

// now is when all sessions of the suite are made. It is near the real time,
// for the sake of stores that let entries expire by themselves, and has
// microseconds, for the sake of those that would like to lose them.
var now = time.Now().UTC().Truncate(time.Second).Add(123456 * time.Microsecond)

// happened is the event that the suite hands to every call. What a store makes
// of it is for its own tests to say: not every store keeps a record.
var happened = sessions.Event{At: now, Kind: sessions.Revoked, By: "the suite"}

// newSession makes up a session without filing it.
func newSession(refs sessions.Refs) filed {
	f := filed{Session: sessions.Session{
		Handle:    rand.Text()[:12],
		Refs:      refs,
		CreatedAt: now,
		IdleUntil: now.Add(idle),
		Until:     now.Add(lifetime),
	}}
	rand.Read(f.key[:])
	return f
}

func (r room) create(f filed) {
	r.Helper()
	if err := r.store.Create(r.ctx, f.key, f.Session, happened); err != nil {
		r.Fatalf("Create: %v", err)
	}
}

// created makes up a session and files it.
func (r room) created(refs sessions.Refs) filed {
	r.Helper()
	f := newSession(refs)
	r.create(f)
	return f
}

func (r room) touch(f filed, idleUntil time.Time) {
	r.Helper()
	if err := r.store.Touch(r.ctx, f.key, idleUntil); err != nil {
		r.Errorf("Touch: %v", err)
	}
}

func (r room) move(old, to filed) {
	r.Helper()
	if err := r.store.Move(r.ctx, old.key, to.key, to.Session, happened); err != nil {
		r.Errorf("Move: %v", err)
	}
}

func (r room) delete(f filed) {
	r.Helper()
	if err := r.store.Delete(r.ctx, f.key, happened); err != nil {
		r.Errorf("Delete: %v", err)
	}
}

// sweep sweeps at the given time and expects to remove so many.
func (r room) sweep(at time.Time, want int) {
	r.Helper()
	if removed, err := r.store.Sweep(r.ctx, at); err != nil || removed != want {
		r.Errorf("Sweep: removed %d, %v; want %d", removed, err, want)
	}
}

// finds expects each session to be there, in all its fields as given.
func (r room) finds(want ...filed) {
	r.Helper()
	for _, f := range want {
		if s, err := r.store.Load(r.ctx, f.key); err != nil || s != f.Session {
			r.Errorf("Load: %+v, %v\nwant  %+v", s, err, f.Session)
		}
	}
}

// findsNot expects nothing under the keys of these sessions, and nothing of
// theirs in the lists of their users.
func (r room) findsNot(dead ...filed) {
	r.Helper()
	for _, f := range dead {
		if s, err := r.store.Load(r.ctx, f.key); !errors.Is(err, sessions.ErrNotFound) {
			r.Errorf("Load: %+v, %v; want ErrNotFound", s, err)
		}
		for _, s := range r.byUser(f.UserID) {
			if s.Handle == f.Handle {
				r.Errorf("ByUser lists a dead session: %+v", s)
			}
		}
	}
}

// lists expects a user's sessions to be these, in this order.
func (r room) lists(userID int64, want ...filed) {
	r.Helper()
	list := r.byUser(userID)
	if len(list) != len(want) {
		r.Fatalf("ByUser: %d sessions, want %d: %+v", len(list), len(want), list)
	}
	for i := range want {
		if list[i] != want[i].Session {
			r.Errorf("ByUser, place %d: %+v\nwant             %+v", i, list[i], want[i].Session)
		}
	}
}

func (r room) byUser(userID int64) []sessions.Session {
	r.Helper()
	list, err := r.store.ByUser(r.ctx, userID)
	if err != nil {
		r.Fatalf("ByUser: %v", err)
	}
	return list
}

// wantNotFound expects that a call found nothing.
func (r room) wantNotFound(call string, err error) {
	r.Helper()
	if !errors.Is(err, sessions.ErrNotFound) {
		r.Errorf("%s: %v; want ErrNotFound", call, err)
	}
}

// wantFailure expects that a call did not work, which is another thing than
// finding nothing.
func (r room) wantFailure(call string, err error) {
	r.Helper()
	if err == nil || errors.Is(err, sessions.ErrNotFound) {
		r.Errorf("%s: %v; want an error that is not ErrNotFound", call, err)
	}
}
