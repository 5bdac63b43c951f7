package web

import (
	"context"
	"net/http"

	"coatcheck/internal/auth"
	"coatcheck/internal/cart"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/view"
	"coatcheck/internal/visitors"
	"coatcheck/internal/xray"

	"github.com/jackc/pgx/v5"
)

// load finds out who is looking, and fetches what the page shows, in one round
// trip to the database: each of queue adds its queries to one batch. It fills
// the page's layout, and takes the message that was left for the visitor.
func (s *Shop) load(w http.ResponseWriter, r *http.Request, l *view.Layout, queue ...func(*pgx.Batch)) (visitors.Visitor, error) {
	session, live := sessions.From(r.Context())
	x := xray.From(r.Context())
	var ended []sessions.Event
	if before := x.Previous(); before != nil {
		queue = append(queue, func(b *pgx.Batch) { pgstore.QueueStory(b, before.Found.Handle, &ended) })
	}
	v, err := s.visitor(r.Context(), session.Refs, queue)
	if err != nil {
		return visitors.Visitor{}, err
	}
	if v.User.ID != session.UserID {
		return visitors.Visitor{}, errNobody
	}
	l.Visitor = view.Visitor{
		Name: v.User.Name, Email: v.User.Email, Admin: v.User.Role == auth.Administrator,
		CartCount: cart.Pieces(v.Items),
	}
	if live {
		l.Left = s.left(session)
	}
	l.Path = r.URL.RequestURI()
	l.Demo = s.demo
	l.Notice = s.takeNotice(w, r)
	l.XRay = x
	x.Led(v.User.Name, l.Visitor.CartCount)
	if len(ended) > 0 {
		x.Bury(ended)
	}
	return v, nil
}

// visitor looks up who is looking, together with the page's own rows if it has
// any. A page that has none shares the look-up with other requests; but not in a
// demonstration, whose X-ray shows what this request has asked.
func (s *Shop) visitor(ctx context.Context, refs sessions.Refs, queue []func(*pgx.Batch)) (visitors.Visitor, error) {
	if len(queue) == 0 && s.xray == nil {
		return s.visitors.Find(ctx, refs)
	}
	return s.visitors.FindWith(ctx, refs, queue...)
}
