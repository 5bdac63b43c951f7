package web

import (
	"net/http"

	"coatcheck/internal/auth"
	"coatcheck/internal/cart"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/view"
	"coatcheck/internal/xray"

	"github.com/jackc/pgx/v5"
)

// load fetches what a page shows, and who is looking, in one round trip to
// the database: each of queue adds its queries to one batch. It fills the
// page's layout, and takes the message that was left for the visitor.
//
// The session says only "user 1, cart 7". Names, roles and quantities are
// fetched each time from where they live, so they are never out of date.
func (s *Shop) load(w http.ResponseWriter, r *http.Request, l *view.Layout, queue ...func(*pgx.Batch)) (auth.User, error) {
	var user auth.User
	session, live := sessions.From(r.Context())
	b := &pgx.Batch{}
	if session.UserID != 0 {
		auth.QueueUser(b, session.UserID, &user)
	}
	if session.CartID != 0 {
		cart.QueueCount(b, session.CartID, &l.Visitor.CartCount)
	}
	for _, q := range queue {
		q(b)
	}
	x := xray.From(r.Context())
	var ended []sessions.Event
	if before := x.Previous(); before != nil {
		pgstore.QueueStory(b, before.Found.Handle, &ended)
	}
	if b.Len() > 0 {
		if err := s.db.SendBatch(r.Context(), b).Close(); err != nil {
			return auth.User{}, err
		}
	}
	if user.ID != session.UserID {
		return auth.User{}, errNobody
	}
	l.Visitor.Name, l.Visitor.Email, l.Visitor.Admin = user.Name, user.Email, user.Role == auth.Administrator
	if live {
		l.Left = s.left(session)
	}
	l.Path = r.URL.RequestURI()
	l.Demo = s.demo
	l.Notice = s.takeNotice(w, r)
	l.XRay = x
	x.Led(user.Name, l.Visitor.CartCount)
	if len(ended) > 0 {
		x.Bury(ended)
	}
	return user, nil
}
