package sessions

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Config is what a Manager needs to know.
type Config struct {
	Store  Store
	Policy Policy
	// Secure says that the browser speaks HTTPS to this shop, directly or
	// through a proxy. It decides the cookie's name and flags.
	Secure bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Failed answers a request whose session could not be looked up because
	// the store failed. It must not treat the visitor as signed out: the
	// cookie stays as it is.
	Failed func(w http.ResponseWriter, r *http.Request, err error)
}

// Manager hands out tickets and takes them back. Every change of a session is
// a call on it that returns an error before the first byte of the answer is
// written; a handler that gets one must not answer as if it had worked.
type Manager struct {
	store  Store
	policy Policy
	cookie cookie
	now    func() time.Time
	failed func(w http.ResponseWriter, r *http.Request, err error)
}

// NewManager checks the policy and sets up a Manager.
func NewManager(c Config) (*Manager, error) {
	if err := c.Policy.Check(); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Manager{
		store:  c.Store,
		policy: c.Policy,
		cookie: newCookie(c.Secure),
		now:    c.Now,
		failed: c.Failed,
	}, nil
}

// Begin starts a session for a visitor who has none, and sends its ID. Call
// it at the first thing worth remembering and no earlier: a visitor who only
// looks around needs no row, and a crawler must not be able to fill the store.
func (m *Manager) Begin(w http.ResponseWriter, r *http.Request, refs Refs) error {
	ctx := r.Context()
	id, s := m.newSession(refs)
	finish := tracingStore(ctx, "create")
	err := m.store.Create(ctx, id.key(), s)
	finish(err)
	if err != nil {
		return err
	}
	trace(ctx, func(t *Trace) {
		if t.Began != nil {
			t.Began(s)
		}
	})
	m.cookie.send(ctx, w, id)
	return nil
}

// Change gives the visitor other references under a new ID. The old ID dies
// in the same step. If the session has ended while this request was on its
// way, Change returns ErrNotFound, sends no cookie and so leaves alone the one
// that whatever ended it may have sent.
func (m *Manager) Change(w http.ResponseWriter, r *http.Request, refs Refs) error {
	ctx := r.Context()
	v := visitFrom(ctx)
	if v.ticket != TicketLive {
		return ErrNotFound
	}
	id, s := m.newSession(refs)
	finish := tracingStore(ctx, "move")
	err := m.store.Move(ctx, v.key, id.key(), s)
	finish(err)
	if err != nil {
		return err
	}
	trace(ctx, func(t *Trace) {
		if t.Moved != nil {
			t.Moved(v.session, s)
		}
	})
	m.cookie.send(ctx, w, id)
	return nil
}

// SignIn gives the visitor a session of refs.UserID under a new ID, whatever
// they carried before. An attacker who planted an ID in the browser is left
// with a dead one (session fixation; ASVS 5.0 V7.2.4). The caller has checked
// the password.
func (m *Manager) SignIn(w http.ResponseWriter, r *http.Request, refs Refs) error {
	err := m.Change(w, r, refs)
	if errors.Is(err, ErrNotFound) { // nothing to move from: a new visitor, or a session that has just ended
		return m.Begin(w, r, refs)
	}
	return err
}

// SignOut ends the session in the store and then tells the browser to drop
// the cookie, in that order: a sign-out that did not happen is never reported
// as done. A copy of the cookie is worth nothing from then on (ASVS 5.0
// V7.4.1).
func (m *Manager) SignOut(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := visitFrom(ctx)
	if v.ticket == TicketLive {
		if err := m.end(ctx, v.key, v.session, EndedBySignOut); err != nil {
			return err
		}
	}
	if v.ticket != TicketNone {
		m.cookie.clear(ctx, w)
	}
	return nil
}

func (m *Manager) end(ctx context.Context, k Key, s Session, why Cause) error {
	finish := tracingStore(ctx, "delete")
	err := m.store.Delete(ctx, k)
	finish(err)
	if err != nil {
		return err
	}
	trace(ctx, func(t *Trace) {
		if t.Ended != nil {
			t.Ended(s, why)
		}
	})
	return nil
}

func (m *Manager) newSession(refs Refs) (id, Session) {
	// Stores keep microseconds; what was filed must equal what is found.
	now := m.now().UTC().Truncate(time.Microsecond)
	until := now.Add(m.policy.Lifetime)
	return newID(), Session{
		Handle:    newHandle(),
		Refs:      refs,
		CreatedAt: now,
		IdleUntil: m.policy.idleUntil(now, until),
		Until:     until,
	}
}

// SweepEvery removes expired sessions from the store once per interval until
// ctx ends, and reports each sweep. It is housekeeping: an expired session is
// refused whether or not it has been swept.
//
// It lets them lie for one more idle time, so that a visitor who comes back
// from lunch is found to have timed out, and can be told so, rather than to
// hold a ticket that nobody knows.
func (m *Manager) SweepEvery(ctx context.Context, interval time.Duration, report func(removed int, err error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			report(m.store.Sweep(ctx, m.now().Add(-m.policy.Idle)))
		}
	}
}
