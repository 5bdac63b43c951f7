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
	// Kept is the longer policy of those who ask to stay signed in; the zero
	// Policy means DefaultKept.
	Kept Policy
	// Most is how many sessions an account may have at a time; the next
	// sign-in ends the oldest (ASVS 5.0 V7.1.2). 0 means DefaultMost.
	Most int
	// Secure says that the browser speaks HTTPS to this shop, directly or
	// through a proxy. It decides the cookie's name and flags.
	Secure bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Address says where a request comes from, for the record; nil means
	// that the record does not say.
	Address func(r *http.Request) string
	// Failed answers a request whose session could not be looked up because
	// the store failed. It must not treat the visitor as signed out: the
	// cookie stays as it is.
	Failed func(w http.ResponseWriter, r *http.Request, err error)
}

// DefaultMost is a phone, two computers and a tablet, five times over.
const DefaultMost = 20

// Manager hands out tickets and takes them back. Every change of a session is
// a call on it that returns an error before the first byte of the answer is
// written; a handler that gets one must not answer as if it had worked.
type Manager struct {
	store   Store
	policy  Policy
	kept    Policy
	most    int
	cookie  cookie
	now     func() time.Time
	address func(r *http.Request) string
	failed  func(w http.ResponseWriter, r *http.Request, err error)
}

// NewManager checks the policies and sets up a Manager.
func NewManager(c Config) (*Manager, error) {
	if c.Kept == (Policy{}) {
		c.Kept = DefaultKept
	}
	if c.Most == 0 {
		c.Most = DefaultMost
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Address == nil {
		c.Address = func(*http.Request) string { return "" }
	}
	if err := c.Policy.Check(); err != nil {
		return nil, err
	}
	if err := c.Kept.CheckKept(c.Policy); err != nil {
		return nil, err
	}
	return &Manager{
		store:   c.Store,
		policy:  c.Policy,
		kept:    c.Kept,
		most:    c.Most,
		cookie:  newCookie(c.Secure),
		now:     c.Now,
		address: c.Address,
		failed:  c.Failed,
	}, nil
}

// Begin starts a session for a guest who has none, and sends its ID. Call it
// at the first thing worth remembering and no earlier: a visitor who only
// looks around needs no row, and a crawler must not be able to fill the store.
//
// It returns ErrNotFound, and sends nothing, if the visitor's session has moved
// while this request was on its way.
func (m *Manager) Begin(w http.ResponseWriter, r *http.Request, refs Refs) error {
	if err := m.notMoved(r.Context()); err != nil {
		return err
	}
	_, err := m.begin(w, r, refs, m.policy, Made)
	return err
}

// Change gives the visitor other references under a new ID. The old ID dies
// in the same step. If the session has ended while this request was on its
// way, Change returns ErrNotFound, sends no cookie and so leaves alone the one
// that whatever ended it may have sent.
func (m *Manager) Change(w http.ResponseWriter, r *http.Request, refs Refs) error {
	_, err := m.move(w, r, refs, m.PolicyOf(visitFrom(r.Context()).session), Moved)
	return err
}

// Renew gives a visitor who has just given the password once more a new ID,
// and a session that begins now (ASVS 5.0 V7.2.4). Its errors are Change's.
func (m *Manager) Renew(w http.ResponseWriter, r *http.Request) error {
	return m.Change(w, r, visitFrom(r.Context()).session.Refs)
}

// SignIn gives the visitor a session of refs.UserID under a new ID, whatever
// they carried before. An attacker who planted an ID in the browser is left
// with a dead one (session fixation; ASVS 5.0 V7.2.4). The caller has checked
// the password. With keep the session follows the longer policy, and its
// cookie outlasts the browser.
func (m *Manager) SignIn(w http.ResponseWriter, r *http.Request, refs Refs, keep bool) error {
	policy := m.policy
	if keep {
		policy = m.kept
	}
	key, err := m.move(w, r, refs, policy, SignedIn)
	if errors.Is(err, ErrNotFound) { // nothing to move from: a new visitor, or a session that has just ended
		key, err = m.begin(w, r, refs, policy, SignedIn)
	}
	if err != nil {
		return err
	}
	// After the new one is filed, not before: of many sign-ins at once the
	// last one sees them all.
	ctx, e := r.Context(), Event{At: m.clock(), Kind: CrowdedOut, UserID: refs.UserID}
	_, err = m.endMany(ctx, "delete oldest", e, func() (int, error) {
		return m.store.DeleteOldest(ctx, refs.UserID, m.most, key, e)
	})
	return err
}

// SignOut ends the session in the store and then tells the browser to drop
// the cookie, in that order: a sign-out that did not happen is never reported
// as done. A copy of the cookie is worth nothing from then on (ASVS 5.0
// V7.4.1). It returns ErrNotFound, and leaves the cookie alone, if another
// request has ended or moved the session since this one came in.
func (m *Manager) SignOut(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := visitFrom(ctx)
	if err := m.notMoved(ctx); err != nil {
		return err
	}
	if v.ticket == TicketLive {
		if err := m.end(ctx, *v, m.event(r, SignedOut, v.session.UserID)); err != nil {
			if errors.Is(err, ErrNotFound) {
				*v = visit{ticket: TicketUnknown} // what is left of the request has no session either
			}
			return err
		}
	}
	if v.ticket != TicketNone {
		m.cookie.clear(ctx, w)
	}
	*v = visit{}
	return nil
}

// notMoved returns ErrNotFound if the request's ticket is unknown because its
// session has just moved. Then the visitor has a new ticket, or is about to
// get it, by another answer: to send a guest's now, or to clear the cookie,
// might take it away.
func (m *Manager) notMoved(ctx context.Context) error {
	v := visitFrom(ctx)
	if v.ticket != TicketUnknown {
		return nil
	}
	finish := tracingStore(ctx, "moved at")
	at, err := m.store.MovedAt(ctx, v.key)
	finish(err)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case m.clock().Before(at.Add(inFlight)):
		return ErrNotFound
	}
	return nil
}

// inFlight is longer than any request is on its way.
const inFlight = time.Minute

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
