package sessions

import (
	"context"
	"errors"
	"net/http"
)

// Ticket is what became of the ticket that a request carried.
type Ticket int

const (
	TicketNone      Ticket = iota // none came
	TicketMalformed               // no ID of ours looks like that: refused without a look-up
	TicketRepeated                // several came: somebody planted one, so none counts
	TicketUnknown                 // no such session: forged, ended, or expired and swept
	TicketIdledOut                // the session was found, past its idle deadline
	TicketLivedOut                // the session was found, past its absolute deadline
	TicketLive                    // the session was found and counts
)

var ticketNames = [...]string{"none", "malformed", "repeated", "unknown", "idled out", "lived out", "live"}

func (t Ticket) String() string { return ticketNames[t] }

// TimedOut reports whether the ticket's session was found to have expired.
func (t Ticket) TimedOut() bool { return t == TicketIdledOut || t == TicketLivedOut }

// visit is what the middleware found out about a request.
type visit struct {
	ticket  Ticket
	key     Key     // of a live session
	session Session // likewise
}

type visitContextKey struct{}

func visitFrom(ctx context.Context) visit {
	v, _ := ctx.Value(visitContextKey{}).(visit)
	return v
}

// From gives the session of the request that ctx belongs to, if it has a
// live one.
func From(ctx context.Context) (Session, bool) {
	v := visitFrom(ctx)
	return v.session, v.ticket == TicketLive
}

// TicketFrom says what became of the ticket of the request that ctx belongs to.
func TicketFrom(ctx context.Context) Ticket { return visitFrom(ctx).ticket }

// Middleware looks up the session of each request, once, before the handler
// runs: cookie → ID → key → store → both deadlines → context. Every request
// asks the store, so a session that was ended anywhere is ended everywhere,
// at the next request.
func (m *Manager) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := m.visit(w, r)
		if err != nil {
			m.failed(w, r, err)
			return
		}
		trace(r.Context(), func(t *Trace) {
			if t.Ticket != nil {
				t.Ticket(v.ticket, v.session)
			}
		})
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitContextKey{}, v)))
	})
}

func (m *Manager) visit(w http.ResponseWriter, r *http.Request) (visit, error) {
	ctx := r.Context()
	id, ticket := m.cookie.read(r)
	if ticket != TicketLive {
		return visit{ticket: ticket}, nil
	}
	key := id.key()

	finish := tracingStore(ctx, "load")
	s, err := m.store.Load(ctx, key)
	finish(err)
	if errors.Is(err, ErrNotFound) {
		// The cookie is left alone. This may be a slow request with an old
		// ticket, and the browser may by now hold the new one that a sign-in
		// has just sent.
		return visit{ticket: TicketUnknown}, nil
	}
	if err != nil {
		return visit{}, err
	}

	now := m.now()
	if expired := s.Expired(now); expired != TicketLive {
		if err := m.end(ctx, key, s, causes[expired]); err != nil {
			return visit{}, err
		}
		m.cookie.clear(ctx, w)
		return visit{ticket: expired}, nil
	}

	if m.policy.worthTouching(s, now) {
		s.IdleUntil = m.policy.idleUntil(now, s.Until)
		finish := tracingStore(ctx, "touch")
		err := m.store.Touch(ctx, key, s.IdleUntil)
		finish(err)
		if errors.Is(err, ErrNotFound) { // ended between the two steps
			return visit{ticket: TicketUnknown}, nil
		}
		if err != nil {
			return visit{}, err
		}
	}
	return visit{ticket: TicketLive, key: key, session: s}, nil
}
