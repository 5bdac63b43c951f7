package casstore_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/casstore"
	"coatcheck/internal/sessions/sessionstest"
)

// shelf is a backend whose keys can be lost, whose answers can be lost, and
// which can be looked into between two steps. That the store keeps its word on
// the real ones is tested by their own packages.
type shelf struct {
	mu     sync.Mutex
	values map[string][]byte

	slow   bool // others come between two calls
	noList bool // it has forgotten which boxes there are
	// step, if it is set, is called before each write, and may break it off.
	step func(call, key string) error
	// lost, if it is set, says whether the answer to a write that was carried
	// out is lost.
	lost func() bool
}

var errLost = errors.New("nobody answers")

func newStore() (*casstore.Store, *shelf) {
	s := &shelf{values: map[string][]byte{}}
	return casstore.New(s, casstore.Commands{}, nil), s
}

func (s *shelf) rest() {
	if s.slow {
		time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
	}
}

func (s *shelf) Get(ctx context.Context, keys ...string) ([]casstore.Item, error) {
	s.rest()
	s.mu.Lock()
	defer s.mu.Unlock()
	items := make([]casstore.Item, len(keys))
	for i, key := range keys {
		items[i] = casstore.Item{Key: key, Value: s.values[key]}
	}
	return items, ctx.Err()
}

func (s *shelf) Add(ctx context.Context, key string, value []byte, _ time.Time) (bool, error) {
	return s.write(ctx, "Add", key, nil, value)
}

func (s *shelf) Swap(ctx context.Context, found casstore.Item, value []byte, _ time.Time) (bool, error) {
	return s.write(ctx, "Swap", found.Key, found.Value, value)
}

func (s *shelf) write(ctx context.Context, call, key string, before, after []byte) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.rest()
	if s.step != nil {
		if err := s.step(call, key); err != nil {
			return false, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	done := bytes.Equal(s.values[key], before)
	switch {
	case !done:
	case after == nil:
		delete(s.values, key)
	default:
		s.values[key] = after
	}
	if s.lost != nil && s.lost() {
		return false, errLost
	}
	return done, nil
}

func (s *shelf) Boxes(ctx context.Context, f func([]string) error) error {
	s.mu.Lock()
	var keys []string
	for key := range s.values {
		if strings.HasPrefix(key, casstore.Box) && !s.noList {
			keys = append(keys, key)
		}
	}
	s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return f(keys)
}

// lose drops the values whose keys begin so.
func (s *shelf) lose(prefix string) (lost int) {
	for key := range s.values {
		if strings.HasPrefix(key, prefix) {
			delete(s.values, key)
			lost++
		}
	}
	return lost
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	sessionstest.Run(t, func(t *testing.T) sessions.Store { st, _ := newStore(); return st })
}

func TestHistoryIsLinearizable(t *testing.T) {
	t.Parallel()
	st, s := newStore()
	s.slow = true
	sessionstest.History(t, st)
}

var now = time.Now().UTC().Truncate(time.Microsecond)

func session(userID int64) sessions.Session {
	return sessions.Session{Handle: "H", Refs: sessions.Refs{UserID: userID, CartID: 9}, CreatedAt: now, IdleUntil: now.Add(time.Minute), Until: now.Add(time.Hour)}
}

var guest, member, other = sessions.Key{1}, sessions.Key{2}, sessions.Key{3}

func create(t *testing.T, st *casstore.Store, k sessions.Key, userID int64) {
	t.Helper()
	if err := st.Create(t.Context(), k, session(userID), sessions.Event{}); err != nil {
		t.Fatal(err)
	}
}

func known(t *testing.T, st *casstore.Store, k sessions.Key) bool {
	t.Helper()
	_, err := st.Load(t.Context(), k)
	if err != nil && !errors.Is(err, sessions.ErrNotFound) {
		t.Error(err)
	}
	return err == nil
}

// Whatever write of a sign-in breaks off, before it is carried out or after,
// one session is left: the guest's or the user's.
func TestSignInThatBreaksOffLeavesOneSession(t *testing.T) {
	t.Parallel()
	for _, carriedOut := range []bool{false, true} {
		for broken := 1; ; broken++ {
			st, s := newStore()
			create(t, st, guest, 0)
			writes := 0
			s.step = func(string, string) error {
				if writes++; writes == broken && !carriedOut {
					return errLost
				}
				return nil
			}
			s.lost = func() bool { return writes == broken && carriedOut }
			err := st.Move(t.Context(), guest, member, session(7), sessions.Event{At: now})
			s.step, s.lost = nil, nil
			if writes < broken {
				break // it takes no more than that
			}
			list, listErr := st.ByUser(t.Context(), 7)
			g, m := known(t, st, guest), known(t, st, member)
			if g == m || listErr != nil || (len(list) == 1) != m {
				t.Errorf("write %d broke off (carried out: %t), Move says %v: the guest's is known: %t, the user's: %t; the user has %d sessions, %v", broken, carriedOut, err, g, m, len(list), listErr)
			}
			if err == nil && !m {
				t.Errorf("write %d broke off: Move has not moved, and does not say so", broken)
			}
		}
	}
}

// A sign-in stops half-way, and somebody else comes.
func TestHalfAMoveIsFinishedByWhoeverComesUponIt(t *testing.T) {
	t.Parallel()
	for name, come := range map[string]func(*casstore.Store) (int, error){
		"Load":   func(st *casstore.Store) (int, error) { _, err := st.Load(t.Context(), member); return 1, err },
		"Touch":  func(st *casstore.Store) (int, error) { return 1, st.Touch(t.Context(), member, now.Add(time.Hour)) },
		"ByUser": func(st *casstore.Store) (int, error) { list, err := st.ByUser(t.Context(), 7); return len(list), err },
		"Delete": func(st *casstore.Store) (int, error) { return 1, st.Delete(t.Context(), member, sessions.Event{}) },
		"DeleteByUser": func(st *casstore.Store) (int, error) {
			return st.DeleteByUser(t.Context(), 7, sessions.Key{}, sessions.Event{})
		},
		"Move on": func(st *casstore.Store) (int, error) {
			return 1, st.Move(t.Context(), member, other, session(8), sessions.Event{At: now})
		},
	} {
		st, s := newStore()
		create(t, st, guest, 0)
		s.step = func(call, key string) error {
			if call == "Swap" && strings.HasPrefix(key, casstore.Box+"guest:") {
				return errLost
			}
			return nil
		}
		if err := st.Move(t.Context(), guest, member, session(7), sessions.Event{At: now}); !errors.Is(err, errLost) {
			t.Fatalf("Move: %v", err)
		}
		s.step = nil
		if n, err := come(st); err != nil || n != 1 {
			t.Errorf("%s finds %d, %v", name, n, err)
		}
		if known(t, st, guest) {
			t.Errorf("after %s the old session is there, too", name)
		}
	}
}

// Two sign in at once where the other one was signed in: each box waits for
// the other.
func TestUsersWhoChangePlacesDoNotWaitForEver(t *testing.T) {
	t.Parallel()
	st, s := newStore()
	create(t, st, guest, 7)
	create(t, st, member, 8)
	to7, to8 := sessions.Key{7}, sessions.Key{8}
	writes := 0
	s.step = func(call, _ string) error {
		if call == "Swap" {
			if writes++; writes == 2 { // the first move waits in the box of user 8
				s.step = nil
				if err := st.Move(t.Context(), member, to7, session(7), sessions.Event{At: now}); err != nil {
					t.Error(err)
				}
			}
		}
		return nil
	}
	if err := st.Move(t.Context(), guest, to8, session(8), sessions.Event{At: now}); err != nil {
		t.Error(err)
	}
	if known(t, st, guest) || known(t, st, member) || !known(t, st, to7) || !known(t, st, to8) {
		t.Error("they have not changed places")
	}
}

// What a server forgets for want of room ends sessions, and nothing that comes
// later brings them back.
func TestLostKeysEndSessionsForGood(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"session:", "box:guest:", "box:user:", "generation:"} {
		st, s := newStore()
		create(t, st, guest, 0)
		create(t, st, member, 7)
		if s.lose(prefix) == 0 {
			t.Fatalf("no key begins with %q", prefix)
		}
		create(t, st, other, 7) // in the box of the one that may be lost
		lostGuest, lostMember := !known(t, st, guest), !known(t, st, member)
		if lostGuest != (prefix != "box:user:") || lostMember != (prefix != "box:guest:") {
			t.Errorf("without %q the guest's session is lost: %t, the user's: %t", prefix, lostGuest, lostMember)
		}
		if !known(t, st, other) {
			t.Errorf("without %q there was, a new session is not found", prefix)
		}
		for k, lost := range map[sessions.Key]bool{guest: lostGuest, member: lostMember} {
			if err := st.Touch(t.Context(), k, now.Add(2*time.Minute)); errors.Is(err, sessions.ErrNotFound) != lost || known(t, st, k) == lost {
				t.Errorf("without %q: Touch: %v", prefix, err)
			}
		}
	}
}

func TestEndingAllNeedsNoListAndKeepsOneThroughout(t *testing.T) {
	t.Parallel()
	st, s := newStore()
	create(t, st, guest, 0)
	create(t, st, member, 7)
	create(t, st, other, 7)
	s.noList = true
	inside := false
	s.step = func(string, string) error {
		if !inside {
			inside = true
			if !known(t, st, member) {
				t.Error("the session to keep is gone for a moment")
			}
			inside = false
		}
		return nil
	}
	if _, err := st.DeleteAll(t.Context(), member, sessions.Event{}); err != nil {
		t.Fatal(err)
	}
	if known(t, st, guest) || known(t, st, other) || !known(t, st, member) {
		t.Error("some are left, or the one to keep is not")
	}
	s.step = nil
	if _, err := st.DeleteAll(t.Context(), sessions.Key{}, sessions.Event{}); err != nil || known(t, st, member) {
		t.Errorf("the second time: %v, or one is left", err)
	}
}
