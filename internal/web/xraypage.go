package web

import (
	"net/http"
	"strconv"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/view"
	"coatcheck/internal/xray"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
)

// XRaysPage shows the life of the visitor's session, and its last exchanges.
type XRaysPage struct {
	view.Layout
	Timeline *xray.Timeline // nil for a visitor without a session
	Recent   xray.Exchanges
}

// Template names the page's file.
func (*XRaysPage) Template() string { return "xrays.html" }

// XRayPage shows one exchange of the visitor's session, which a redirect may
// have hidden.
type XRayPage struct {
	view.Layout
	Panel *xray.Panel
}

// Template names the page's file.
func (*XRayPage) Template() string { return "xray.html" }

func (s *Shop) xrays(w http.ResponseWriter, r *http.Request) error {
	session, live := sessions.From(r.Context())
	p := &XRaysPage{}
	var story []sessions.Event
	_, err := s.load(w, r, &p.Layout, func(b *pgx.Batch) {
		if live {
			pgstore.QueueStory(b, session.Handle, &story)
		}
	})
	if err != nil {
		return err
	}
	p.Title, p.Path = "X-ray", "/xray"
	if live {
		p.Recent = s.xray.Recent(session.Handle)
		p.Timeline = xray.NewTimeline(story, &session, p.Recent)
	}
	return s.pages.Render(w, http.StatusOK, p)
}

// xrayOf shows an exchange to whoever holds the session that it was part of,
// and to nobody else.
func (s *Shop) xrayOf(w http.ResponseWriter, r *http.Request) error {
	session, live := sessions.From(r.Context())
	number, err := strconv.Atoi(chi.URLParam(r, "number"))
	if err != nil || !live {
		return errNotFound
	}
	p := &XRayPage{}
	for _, e := range s.xray.Recent(session.Handle) {
		if e.Number == number {
			p.Panel = xray.NewPanel(e, s.now())
		}
	}
	if p.Panel == nil {
		return errNotFound
	}
	if _, err := s.load(w, r, &p.Layout); err != nil {
		return err
	}
	p.Title, p.Path = "X-ray of "+p.Panel.Method+" "+p.Panel.Path, "/xray"
	return s.pages.Render(w, http.StatusOK, p)
}
