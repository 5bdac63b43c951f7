// Package casstore keeps sessions in a store of keys and values that can do one
// thing in one step: compare the value of one key and swap it. Redis can, with
// a script of five lines, and Memcached can, with its command cas.
//
// Neither can change two keys in one step: not Memcached, and not a Redis
// Cluster, where they may live on two machines. So each thing that must not
// happen by halves is made one swap of one value:
//
//   - All sessions of a user lie in one value, the user's box. Listing them,
//     ending them all, or ending the oldest reads and swaps that box. A guest's
//     session has a box to itself.
//   - A second value says, for the key of a session, in whose box it lies. It
//     is written before the session is, and leads to nothing if that is gone.
//   - A session that moves from a guest's box to a user's is first filed there
//     as one that waits. The swap that takes the old one out of its box, and
//     leaves a note of where it went, is the move. Whoever opens the box of the
//     one that waits makes that swap for it before they look at anything else,
//     so nobody sees half a move.
//   - To end everybody's sessions without finding each box, boxes carry the
//     number of a generation, and a box of another generation than the present
//     one counts for nothing. It costs one more value to read, in the same
//     round trip.
//
// Whatever is lost, because the server needed room or has restarted, can only
// end sessions, never bring one back or leave one that no list shows.
package casstore

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"coatcheck/internal/sessions"
)

// Backend is the store of keys and values. Its errors are of the kind that
// sessions.ErrUnavailable is, or the context's.
type Backend interface {
	// Get reads several values in one round trip. The value of a key that is
	// not in use is nil.
	Get(ctx context.Context, keys ...string) ([]Item, error)

	// Add files a value under a key that is not in use, and reports whether it
	// has. It may be forgotten when it expires; at the zero time it never does.
	Add(ctx context.Context, key string, value []byte, expires time.Time) (bool, error)

	// Swap puts another value in the place of one that Get found, or nothing if
	// the value is nil. It reports false, and changes nothing, if that is no
	// longer what is there.
	Swap(ctx context.Context, found Item, value []byte, expires time.Time) (bool, error)

	// Boxes calls f with keys that begin with Box, some at a time, until f
	// returns an error, which it returns. A key may come twice.
	Boxes(ctx context.Context, f func(keys []string) error) error
}

// Item is what Get found.
type Item struct {
	Key   string
	Value []byte
	Stamp any // what the backend knows this version of the value by
}

// How keys begin.
const (
	Box        = "box:"        // and then "user:17", or "guest:" and a session's key
	whose      = "session:"    // and then a session's key; the value is the user's number
	generation = "generation:" // and then one of so many numbers
)

// generations are several, so that not every request asks one machine for the
// same value.
const generations = 64

// grace is how long after its deadline a session is kept, so that a visitor who
// comes back from lunch is found to have timed out, and can be told so.
const grace = time.Hour

// movedFor is how long a note of a move is kept, also for who may yet have to
// find out from it that the move has happened.
const movedFor = 10 * time.Minute

// Store is a sessions.Store on a Backend.
type Store struct {
	backend Backend
	record  sessions.Recorder
}

var _ sessions.Store = (*Store)(nil)

// New gives a store on a backend, which has the keys to itself. The commands
// are what a trace is told.
func New(b Backend, c Commands, record sessions.Recorder) *Store {
	return &Store{&traced{b, c}, record}
}

var errInUse = errors.New("the key is in use")

// letters is a key as it is written in keys and values.
func letters(k sessions.Key) string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// boxOf names the box that a session lies in.
func boxOf(key string, userID int64) string {
	if userID == 0 {
		return Box + "guest:" + key
	}
	return userBox(userID)
}

func userBox(userID int64) string { return Box + "user:" + strconv.FormatInt(userID, 10) }

func generationOf(box string) string {
	return generation + strconv.Itoa(int(crc32.ChecksumIEEE([]byte(box))%generations))
}

// expiry is when what lasts until a deadline may be forgotten. It is not in the
// past, for a store must give back what it was just handed.
func expiry(deadline time.Time) time.Time {
	at, soonest := deadline.Add(grace), time.Now().Add(time.Minute)
	if at.Before(soonest) {
		return soonest
	}
	return at
}

// lead files in whose box the session under a key is going to lie.
func (st *Store) lead(ctx context.Context, key string, s sessions.Session) error {
	added, err := st.backend.Add(ctx, whose+key, strconv.AppendInt(nil, s.UserID, 10), expiry(s.Until))
	if err == nil && !added {
		err = errInUse
	}
	return err
}

// find names the box that the session under a key lies in, if it is there.
func (st *Store) find(ctx context.Context, key string) (string, error) {
	items, err := st.backend.Get(ctx, whose+key)
	if err != nil {
		return "", err
	}
	if items[0].Value == nil {
		return "", sessions.ErrNotFound
	}
	userID, err := strconv.ParseInt(string(items[0].Value), 10, 64)
	if err != nil {
		return "", fmt.Errorf("what leads to a session is %q: %w", items[0].Value, err)
	}
	return boxOf(key, userID), nil
}

// Create says where the session is going to be, and then puts it there.
func (st *Store) Create(ctx context.Context, k sessions.Key, s sessions.Session, e sessions.Event) error {
	key := letters(k)
	err := st.lead(ctx, key, s)
	if err == nil {
		err = st.change(ctx, boxOf(key, s.UserID), func(b *box) bool {
			b.put(key, s)
			return true
		})
	}
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	st.record.Record(ctx, e.Of(s))
	return nil
}

// Load is two look-ups: in whose box, and what is in it.
func (st *Store) Load(ctx context.Context, k sessions.Key) (sessions.Session, error) {
	key := letters(k)
	name, err := st.find(ctx, key)
	if err != nil {
		return sessions.Session{}, wrap("load session", err)
	}
	b, err := st.open(ctx, name)
	if err != nil {
		return sessions.Session{}, wrap("load session", err)
	}
	f := b.find(key)
	if f == nil {
		return sessions.Session{}, sessions.ErrNotFound
	}
	return f.session(b.userID), nil
}

// Touch swaps the box for one with a later deadline, if the session is in it.
func (st *Store) Touch(ctx context.Context, k sessions.Key, idleUntil time.Time) error {
	key := letters(k)
	return wrap("touch session", st.changeOf(ctx, key, func(b *box, f *filed) bool {
		if !idleUntil.After(f.IdleUntil.Time) {
			return false
		}
		f.IdleUntil = moment{idleUntil}
		return true
	}))
}

// Delete takes the session out of its box.
func (st *Store) Delete(ctx context.Context, k sessions.Key, e sessions.Event) error {
	key := letters(k)
	var ended sessions.Session
	err := st.changeOf(ctx, key, func(b *box, f *filed) bool {
		ended = f.session(b.userID)
		b.drop(key)
		return true
	})
	if err != nil {
		return wrap("delete session", err)
	}
	st.record.Record(ctx, e.Of(ended))
	return nil
}

// changeOf changes the box that a session lies in, or returns ErrNotFound if it
// lies nowhere any more.
func (st *Store) changeOf(ctx context.Context, key string, f func(*box, *filed) bool) error {
	name, err := st.find(ctx, key)
	if err != nil {
		return err
	}
	found := false
	err = st.change(ctx, name, func(b *box) bool {
		s := b.find(key)
		found = s != nil
		return found && f(b, s)
	})
	if err == nil && !found {
		err = sessions.ErrNotFound
	}
	return err
}

// wrap says what failed. That there is no such session is no failure.
func wrap(what string, err error) error {
	if err == nil || errors.Is(err, sessions.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// userOf is the number in a box's name; a guest's has none.
func userOf(box string) int64 {
	userID, _ := strconv.ParseInt(strings.TrimPrefix(box, Box+"user:"), 10, 64)
	return userID
}
