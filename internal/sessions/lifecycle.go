package sessions

import (
	"context"
	"net/http"
	"time"
)

// What Begin, Change, SignIn and SignOut are made of: a session is made, moves
// to a new ID, and ends.

func (m *Manager) begin(w http.ResponseWriter, r *http.Request, refs Refs, policy Policy, k Kind) (Key, error) {
	ctx := r.Context()
	id, s := m.newSession(refs, policy)
	e := m.event(r, k, refs.UserID)
	e.Session = s.Handle
	finish := tracingStore(ctx, "create")
	err := m.store.Create(ctx, id.key(), s, e)
	finish(err)
	if err != nil {
		return Key{}, err
	}
	trace(ctx, func(t *Trace) {
		if t.Began != nil {
			t.Began(ctx, s)
		}
	})
	return m.hand(w, r, id, s), nil
}

func (m *Manager) move(w http.ResponseWriter, r *http.Request, refs Refs, policy Policy, k Kind) (Key, error) {
	ctx := r.Context()
	v := visitFrom(ctx)
	if v.ticket != TicketLive {
		return Key{}, ErrNotFound
	}
	id, s := m.newSession(refs, policy)
	e := m.event(r, k, refs.UserID)
	e.Session, e.Previous = s.Handle, v.session.Handle
	finish := tracingStore(ctx, "move")
	err := m.store.Move(ctx, v.key, id.key(), s, e)
	finish(err)
	if err != nil {
		return Key{}, err
	}
	trace(ctx, func(t *Trace) {
		if t.Moved != nil {
			t.Moved(ctx, v.session, s)
		}
	})
	return m.hand(w, r, id, s), nil
}

// hand gives the ticket of a session to the visitor, whose request is part of
// that session from now on.
func (m *Manager) hand(w http.ResponseWriter, r *http.Request, i id, s Session) Key {
	keep := time.Duration(0)
	if m.Kept(s) {
		keep = m.kept.Lifetime
	}
	m.cookie.send(r.Context(), w, i, keep)
	*visitFrom(r.Context()) = visit{TicketLive, i.key(), s}
	return i.key()
}

func (m *Manager) end(ctx context.Context, v visit, e Event) error {
	e.Session, e.UserID = v.session.Handle, v.session.UserID
	finish := tracingStore(ctx, "delete")
	err := m.store.Delete(ctx, v.key, e)
	finish(err)
	if err != nil {
		return err
	}
	traceEnd(ctx, e, 1)
	return nil
}

func (m *Manager) newSession(refs Refs, policy Policy) (id, Session) {
	now := m.clock()
	until := now.Add(policy.Lifetime)
	return newID(), Session{
		Handle:    newHandle(),
		Refs:      refs,
		CreatedAt: now,
		IdleUntil: policy.idleUntil(now, until),
		Until:     until,
	}
}

// Kept reports whether a session follows the longer policy. It is read off
// the session's own deadline, which is fixed for its life.
func (m *Manager) Kept(s Session) bool { return s.Until.Sub(s.CreatedAt) >= m.kept.Lifetime }

// PolicyOf is the policy that a session was made under.
func (m *Manager) PolicyOf(s Session) Policy {
	if m.Kept(s) {
		return m.kept
	}
	return m.policy
}

// clock is the time, as a store keeps it: what was filed must equal what is
// found.
func (m *Manager) clock() time.Time { return m.now().UTC().Truncate(time.Microsecond) }
