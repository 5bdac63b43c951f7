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

var timeouts = map[Ticket]Kind{TicketIdledOut: IdledOut, TicketLivedOut: LivedOut}

// TimedOut reports whether the ticket's session was found to have expired.
func (t Ticket) TimedOut() bool { return t == TicketIdledOut || t == TicketLivedOut }

// visit is what the middleware found out about a request, and what the
// request's own handler has made of it since: after a sign-in, the new session.
type visit struct {
	ticket  Ticket
	key     Key     // of the session that was looked up
	session Session // a live one
}

type visitContextKey struct{}

func visitFrom(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitContextKey{}).(*visit); ok {
		return v
	}
	return &visit{}
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
				t.Ticket(r.Context(), v.ticket, v.session)
			}
		})
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitContextKey{}, &v)))
	})
}

func (m *Manager) visit(w http.ResponseWriter, r *http.Request) (visit, error) {
	ctx := r.Context()
	v, err := m.look(r)
	if err != nil {
		return visit{}, err
	}
	switch now := m.clock(); {
	case v.ticket.TimedOut():
		if err := m.end(ctx, v, v.session.Timeout()); err != nil && !errors.Is(err, ErrNotFound) {
			return visit{}, err
		}
		m.cookie.clear(ctx, w)
		return visit{ticket: v.ticket}, nil

	case v.ticket == TicketLive && m.PolicyOf(v.session).worthTouching(v.session, now):
		v.session.IdleUntil = m.PolicyOf(v.session).idleUntil(now, v.session.Until)
		finish := tracingStore(ctx, "touch")
		err := m.store.Touch(ctx, v.key, v.session.IdleUntil)
		finish(err)
		if errors.Is(err, ErrNotFound) { // ended between the two steps
			return visit{ticket: TicketUnknown, key: v.key}, nil
		}
		if err != nil {
			return visit{}, err
		}
	}
	return v, nil
}

// look finds the session of a request and changes nothing, neither a deadline
// nor a cookie. A ticket that is unknown stays in the browser: this may be a
// slow request with an old one, and the browser may by now hold the new one
// that a sign-in has just sent.
func (m *Manager) look(r *http.Request) (visit, error) {
	id, ticket := m.cookie.read(r)
	if ticket != TicketLive {
		return visit{ticket: ticket}, nil
	}
	key := id.key()
	finish := tracingStore(r.Context(), "load")
	s, err := m.store.Load(r.Context(), key)
	finish(err)
	if errors.Is(err, ErrNotFound) {
		return visit{ticket: TicketUnknown, key: key}, nil
	}
	if err != nil {
		return visit{}, err
	}
	trace(r.Context(), func(t *Trace) {
		if t.Found != nil {
			t.Found(r.Context(), s)
		}
	})
	return visit{ticket: s.Expired(m.clock()), key: key, session: s}, nil
}

// Peek says what session a request has, and whether it still counts, without
// being activity: the idle deadline stays where it is. It needs no middleware.
func (m *Manager) Peek(r *http.Request) (Session, Ticket, error) {
	v, err := m.look(r)
	return v.session, v.ticket, err
}
