package web

import (
	"encoding/json"
	"net/http"

	"coatcheck/internal/sessions"
	"coatcheck/internal/view"
)

// left tells a page how long its session lasts, so that it can say so before
// the end (WCAG 2.2, 2.2.1). It is a duration: the visitor's clock may be off.
func (s *Shop) left(session sessions.Session) view.Left {
	left, final := session.Left(s.now())
	return view.Left{Seconds: max(0, int(left.Seconds())), Final: final}
}

// timeLeft answers how long the session lasts. To ask is no activity: it does
// not make it last longer.
func (s *Shop) timeLeft(w http.ResponseWriter, r *http.Request) error {
	session, ticket, err := s.sessions.Peek(r)
	if err != nil {
		return err
	}
	if ticket != sessions.TicketLive {
		return sendLeft(w, view.Left{})
	}
	return sendLeft(w, s.left(session))
}

// extend is activity, and nothing else.
func (s *Shop) extend(w http.ResponseWriter, r *http.Request) error {
	session, live := sessions.From(r.Context())
	if !live {
		return sendLeft(w, view.Left{})
	}
	return sendLeft(w, s.left(session))
}

func sendLeft(w http.ResponseWriter, l view.Left) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(l)
}
