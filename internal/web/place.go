package web

import (
	"net/http"

	"coatcheck/internal/view"
)

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
