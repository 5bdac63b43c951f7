// Package memstore keeps sessions in the memory of the process.
//
// It is the fastest store and the least reliable one. All sessions die with
// the process: a restart, a crash or a new version signs everybody out. No
// other server sees them: behind a load balancer a visitor must be sent to the
// same server each time (sticky sessions), and is signed out when that goes.
// And the operator's tools, which are programs of their own, cannot reach them.
package memstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"coatcheck/internal/sessions"
)

// Most is how many sessions a store holds, about half a gigabyte of them. A
// process that runs out of memory is killed, and all sessions die with it; a
// store that is full turns new visitors away, until a sweep makes room.
const Most = 1_000_000

// movedFor is how long a key that was moved away from is known at least.
const movedFor = time.Minute

var errInUse = errors.New("the key is in use")

// Store is a sessions.Store: a map, and a lock around it.
type Store struct {
	record sessions.Recorder
	most   int

	mu       sync.Mutex
	sessions map[sessions.Key]sessions.Session
	byUser   map[int64]map[sessions.Key]bool // the keys of those that have a user
	moved    map[sessions.Key]time.Time
}

var _ sessions.Store = (*Store)(nil)

// New gives an empty store for so many sessions.
func New(most int, record sessions.Recorder) *Store {
	return &Store{
		record:   record,
		most:     most,
		sessions: map[sessions.Key]sessions.Session{},
		byUser:   map[int64]map[sessions.Key]bool{},
		moved:    map[sessions.Key]time.Time{},
	}
}

// do runs f with the lock held, unless the request is over, and then puts on
// record what f says has happened.
func (st *Store) do(ctx context.Context, f func() ([]sessions.Event, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	st.mu.Lock()
	happened, err := f()
	st.mu.Unlock()
	st.record.Record(ctx, happened...)
	return err
}

// put and remove keep the two maps in step.
func (st *Store) put(k sessions.Key, s sessions.Session) {
	s.CreatedAt, s.IdleUntil, s.Until = s.CreatedAt.UTC(), s.IdleUntil.UTC(), s.Until.UTC()
	st.sessions[k] = s
	if s.UserID == 0 {
		return
	}
	if st.byUser[s.UserID] == nil {
		st.byUser[s.UserID] = map[sessions.Key]bool{}
	}
	st.byUser[s.UserID][k] = true
}

func (st *Store) remove(k sessions.Key) {
	user := st.sessions[k].UserID
	delete(st.sessions, k)
	delete(st.byUser[user], k)
	if len(st.byUser[user]) == 0 {
		delete(st.byUser, user)
	}
}

// end removes sessions and makes of an event one for each of them.
func (st *Store) end(e sessions.Event, keys ...sessions.Key) (events []sessions.Event) {
	for _, k := range keys {
		events = append(events, e.Of(st.sessions[k]))
		st.remove(k)
	}
	return events
}

// Create files the session if there is room.
func (st *Store) Create(ctx context.Context, k sessions.Key, s sessions.Session, e sessions.Event) error {
	return st.do(ctx, func() ([]sessions.Event, error) {
		if _, inUse := st.sessions[k]; inUse {
			return nil, errInUse
		}
		if len(st.sessions) >= st.most {
			return nil, fmt.Errorf("%w: it holds %d sessions, which is all it has room for", sessions.ErrUnavailable, st.most)
		}
		st.put(k, s)
		return []sessions.Event{e.Of(s)}, nil
	})
}

// Load looks into the map.
func (st *Store) Load(ctx context.Context, k sessions.Key) (s sessions.Session, err error) {
	err = st.do(ctx, func() ([]sessions.Event, error) {
		var found bool
		s, found = st.sessions[k]
		return nil, foundIf(found)
	})
	return s, err
}

// Touch moves the deadline of a session that is there.
func (st *Store) Touch(ctx context.Context, k sessions.Key, idleUntil time.Time) error {
	return st.do(ctx, func() ([]sessions.Event, error) {
		s, found := st.sessions[k]
		if found && idleUntil.After(s.IdleUntil) {
			s.IdleUntil = idleUntil.UTC()
			st.sessions[k] = s
		}
		return nil, foundIf(found)
	})
}

// Move does both steps under one lock.
func (st *Store) Move(ctx context.Context, old, new sessions.Key, s sessions.Session, e sessions.Event) error {
	return st.do(ctx, func() ([]sessions.Event, error) {
		before, found := st.sessions[old]
		if !found {
			return nil, sessions.ErrNotFound
		}
		if _, inUse := st.sessions[new]; inUse {
			return nil, errInUse
		}
		st.remove(old)
		st.moved[old] = e.At
		st.put(new, s)
		e.Previous = before.Handle
		return []sessions.Event{e.Of(s)}, nil
	})
}

// MovedAt looks into a map of its own.
func (st *Store) MovedAt(ctx context.Context, k sessions.Key) (at time.Time, err error) {
	err = st.do(ctx, func() ([]sessions.Event, error) {
		var found bool
		at, found = st.moved[k]
		return nil, foundIf(found)
	})
	return at, err
}

// Delete removes the session.
func (st *Store) Delete(ctx context.Context, k sessions.Key, e sessions.Event) error {
	return st.do(ctx, func() ([]sessions.Event, error) {
		if _, found := st.sessions[k]; !found {
			return nil, sessions.ErrNotFound
		}
		return st.end(e, k), nil
	})
}

// ofUser gives the keys of a user's sessions, the newest first.
func (st *Store) ofUser(userID int64) []sessions.Key {
	return slices.SortedFunc(maps.Keys(st.byUser[userID]), func(a, b sessions.Key) int {
		return sessions.NewestFirst(st.sessions[a], st.sessions[b])
	})
}

// ByUser lists by the second map.
func (st *Store) ByUser(ctx context.Context, userID int64) (list []sessions.Session, err error) {
	err = st.do(ctx, func() ([]sessions.Event, error) {
		for _, k := range st.ofUser(userID) {
			list = append(list, st.sessions[k])
		}
		return nil, nil
	})
	return list, err
}

// Each takes a copy first: what f does may take long, and may use the store.
func (st *Store) Each(ctx context.Context, f func(sessions.Session) error) error {
	var all []sessions.Session
	err := st.do(ctx, func() ([]sessions.Event, error) {
		all = slices.Collect(maps.Values(st.sessions))
		return nil, nil
	})
	for _, s := range all {
		if err := f(s); err != nil {
			return err
		}
	}
	return err
}

// DeleteHandle looks among the user's own.
func (st *Store) DeleteHandle(ctx context.Context, userID int64, handle string, e sessions.Event) error {
	return st.do(ctx, func() ([]sessions.Event, error) {
		for k := range st.byUser[userID] {
			if st.sessions[k].Handle == handle {
				return st.end(e, k), nil
			}
		}
		return nil, sessions.ErrNotFound
	})
}

// DeleteByUser removes all of a user's, or all but one while that is there.
func (st *Store) DeleteByUser(ctx context.Context, userID int64, keep sessions.Key, e sessions.Event) (n int, err error) {
	err = st.do(ctx, func() ([]sessions.Event, error) {
		if keep != (sessions.Key{}) && !st.byUser[userID][keep] {
			return nil, nil
		}
		ended := st.end(e, slices.DeleteFunc(st.ofUser(userID), func(k sessions.Key) bool { return k == keep })...)
		n = len(ended)
		return ended, nil
	})
	return n, err
}

// DeleteOldest removes what is beyond the newest.
func (st *Store) DeleteOldest(ctx context.Context, userID int64, most int, keep sessions.Key, e sessions.Event) (n int, err error) {
	err = st.do(ctx, func() ([]sessions.Event, error) {
		others := slices.DeleteFunc(st.ofUser(userID), func(k sessions.Key) bool { return k == keep })
		ended := st.end(e, others[min(most-1, len(others)):]...)
		n = len(ended)
		return ended, nil
	})
	return n, err
}

// DeleteAll removes all but one.
func (st *Store) DeleteAll(ctx context.Context, keep sessions.Key, e sessions.Event) (n int, err error) {
	err = st.do(ctx, func() ([]sessions.Event, error) {
		ended := st.end(e, slices.DeleteFunc(slices.Collect(maps.Keys(st.sessions)), func(k sessions.Key) bool { return k == keep })...)
		n = len(ended)
		return ended, nil
	})
	return n, err
}

// step is how many sessions a sweep looks at before it lets others have the lock.
const step = 1000

// Sweep takes the lock for a thousand sessions at a time.
func (st *Store) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	var keys []sessions.Key
	err = st.do(ctx, func() ([]sessions.Event, error) {
		keys = slices.Collect(maps.Keys(st.sessions))
		maps.DeleteFunc(st.moved, func(_ sessions.Key, at time.Time) bool { return now.Sub(at) >= movedFor })
		return nil, nil
	})
	for some := range slices.Chunk(keys, step) {
		if err != nil {
			break
		}
		err = st.do(ctx, func() (events []sessions.Event, _ error) {
			for _, k := range some {
				if s, found := st.sessions[k]; found && s.Expired(now) != sessions.TicketLive {
					events = append(events, s.Timeout())
					st.remove(k)
				}
			}
			removed += len(events)
			return events, nil
		})
	}
	return removed, err
}

func foundIf(found bool) error {
	if !found {
		return sessions.ErrNotFound
	}
	return nil
}
