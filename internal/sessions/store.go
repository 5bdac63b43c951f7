package sessions

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound says that a store holds no session under a key: it never did,
// or the session has ended.
var ErrNotFound = errors.New("session not found")

// ErrUnavailable says that a store cannot do its work for now: it cannot be
// reached, or is full.
var ErrUnavailable = errors.New("session store unavailable")

// Store keeps sessions. It must be safe for concurrent use.
//
// Dead stays dead: only Create and Move bring a key into being, and no other
// call, however late it arrives, revives one that was deleted. So a store must
// touch with an UPDATE, never with an upsert.
//
// A store need not keep time: deadlines are compared by the caller, and Load
// gives back expired sessions that have not been swept. One that lets them go
// by itself does so a while after their deadline.
//
// Every call that begins or ends sessions is handed an Event: what happened,
// when, by whom and from where. The store writes it into the record, in the
// same step as the change if both live in one database, once for each session
// that it concerns, whose handle and user it fills in; and none if there was
// no change.
//
// Any error but ErrNotFound means that the store could not do its work, and
// says nothing about the session. Times are kept to the microsecond.
type Store interface {
	// Create files a new session. The key must not be in use.
	Create(ctx context.Context, k Key, s Session, e Event) error

	// Load finds a session, or ErrNotFound.
	Load(ctx context.Context, k Key) (Session, error)

	// Touch moves the idle deadline, never backwards, and changes nothing
	// else. Once the session is gone it returns ErrNotFound.
	Touch(ctx context.Context, k Key, idleUntil time.Time) error

	// Move lets the old session die and files s under a new key, both or
	// neither. If the old one is dead already nothing is filed, and the
	// result is ErrNotFound.
	Move(ctx context.Context, old, new Key, s Session, e Event) error

	// MovedAt says when the session under a key moved to another, by the time
	// of the event, or returns ErrNotFound. It is remembered for a minute at
	// least.
	MovedAt(ctx context.Context, k Key) (time.Time, error)

	// Delete ends a session, or returns ErrNotFound if it has ended already.
	Delete(ctx context.Context, k Key, e Event) error

	// ByUser lists a user's sessions, the newest first.
	ByUser(ctx context.Context, userID int64) ([]Session, error)

	// Each calls f with every session, in no order, until f returns an error,
	// which it returns.
	Each(ctx context.Context, f func(Session) error) error

	// DeleteHandle ends the one session of that user that has the handle, or
	// returns ErrNotFound: another user's session is out of reach.
	DeleteHandle(ctx context.Context, userID int64, handle string, e Event) error

	// DeleteByUser ends all of a user's sessions but the one under keep, also
	// one that is moving meanwhile, and says how many. The zero Key keeps none.
	// Once the session to keep has moved or ended, no more are ended: one of
	// them may be what it has moved to.
	DeleteByUser(ctx context.Context, userID int64, keep Key, e Event) (int, error)

	// DeleteOldest ends a user's oldest sessions until no more than most are
	// left, the one under keep among them, and says how many. When several
	// sign-ins at once each do this after they have filed theirs, no more
	// than most are left once all are done.
	DeleteOldest(ctx context.Context, userID int64, most int, keep Key, e Event) (int, error)

	// DeleteAll ends everybody's sessions, guests' too, but the one under
	// keep, and says how many.
	DeleteAll(ctx context.Context, keep Key, e Event) (int, error)

	// Sweep removes the sessions whose deadline, idle or absolute, has come
	// at now, and says how many. It works in bounded steps that hold up
	// nobody, stops between two of them when ctx ends, and may run on several
	// servers at once. Nothing's safety hangs on it.
	Sweep(ctx context.Context, now time.Time) (int, error)
}
