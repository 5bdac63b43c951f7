package web

import (
	"net/http"

	"coatcheck/internal/view"

	"github.com/go-chi/chi/v5"
)

// addPlaces adds the pages that are not the shop's own, either those that are
// slow or the others.
func (s *Shop) addPlaces(r chi.Router, slow bool) {
	for _, p := range s.places {
		if p.Slow == slow {
			r.Method(p.Method, p.Pattern, s.handle(s.show(p)))
		}
	}
}

// show makes a handler of a page that is not the shop's own: the shop adds who
// is looking.
func (s *Shop) show(p view.Place) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		page, err := p.Show(w, r)
		if page == nil || err != nil {
			return err
		}
		l := page.Frame()
		title, path := l.Title, l.Path
		if _, err := s.load(w, r, l); err != nil {
			return err
		}
		l.Title, l.Path = title, path
		return s.pages.Render(w, http.StatusOK, page)
	}
}
