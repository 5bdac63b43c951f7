package sessions

import (
	"context"
	"time"
)

// The sessions of an account, seen from one of them: what "your sessions"
// shows, and what an administrator may end.

// ByUser lists a user's sessions that count, the newest first.
func (m *Manager) ByUser(ctx context.Context, userID int64) ([]Session, error) {
	finish := tracingStore(ctx, "by user")
	list, err := m.store.ByUser(ctx, userID)
	finish(err)
	now := m.clock()
	live := list[:0]
	for _, s := range list {
		if s.Expired(now) == TicketLive {
			live = append(live, s)
		}
	}
	return live, err
}

// SeenAt is when a session was last in use, as its idle deadline tells: to
// within the minute or less that a touch may be put off, and not later than
// one idle time before the absolute deadline, where the idle one stands still.
func (m *Manager) SeenAt(s Session) time.Time {
	p := m.PolicyOf(s)
	seen := s.IdleUntil.Add(-p.Idle - p.Slack())
	if seen.Before(s.CreatedAt) { // its idle deadline is held back by the absolute one
		return s.CreatedAt
	}
	return seen
}

// EndHandle ends the one session of a user that has the handle, or returns
// ErrNotFound. By says who does it, for the record.
func (m *Manager) EndHandle(ctx context.Context, userID int64, handle, by string) error {
	e := m.revocation(userID, by)
	e.Session = handle
	_, err := m.endMany(ctx, "delete handle", e, func() (int, error) { return 1, m.store.DeleteHandle(ctx, userID, handle, e) })
	return err
}

// EndOthers ends all of the visitor's sessions but this one, and says how many.
// It returns ErrNotFound if this one has moved or ended meanwhile: then some
// may be left.
func (m *Manager) EndOthers(ctx context.Context, by string) (int, error) {
	v := visitFrom(ctx)
	e := m.revocation(v.session.UserID, by)
	n, err := m.endMany(ctx, "delete by user", e, func() (int, error) { return m.store.DeleteByUser(ctx, v.session.UserID, v.key, e) })
	if err != nil {
		return n, err
	}
	finish := tracingStore(ctx, "load")
	_, err = m.store.Load(ctx, v.key)
	finish(err)
	return n, err
}

// EndUser ends all of a user's sessions, and says how many.
func (m *Manager) EndUser(ctx context.Context, userID int64, by string) (int, error) {
	e := m.revocation(userID, by)
	return m.endMany(ctx, "delete by user", e, func() (int, error) { return m.store.DeleteByUser(ctx, userID, Key{}, e) })
}

// EndEverybody ends every session there is but the visitor's own, guests'
// too, and says how many.
func (m *Manager) EndEverybody(ctx context.Context, by string) (int, error) {
	v, e := visitFrom(ctx), m.revocation(0, by)
	return m.endMany(ctx, "delete all", e, func() (int, error) { return m.store.DeleteAll(ctx, v.key, e) })
}

// revocation has no address and no browser: those of whoever ends a session
// say nothing about its visitor.
func (m *Manager) revocation(userID int64, by string) Event {
	return Event{At: m.clock(), Kind: Revoked, UserID: userID, By: by}
}

func (m *Manager) endMany(ctx context.Context, call string, e Event, del func() (int, error)) (int, error) {
	finish := tracingStore(ctx, call)
	n, err := del()
	finish(err)
	if err == nil && n > 0 {
		traceEnd(ctx, e, n)
	}
	return n, err
}
