package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

// Hears reports whether the shop knows the products without asking.
func (s *Shop) Hears() bool { return s.catalog.Known() }

// AddPanic gives the shop an address whose handler panics.
func (s *Shop) AddPanic(path string) {
	s.handler.(chi.Router).Get(path, func(http.ResponseWriter, *http.Request) { panic("came off its hanger") })
}

// Posts gives the pattern of each route that forms are sent to.
func (s *Shop) Posts() (patterns []string) {
	_ = chi.Walk(s.handler.(chi.Router), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if method == http.MethodPost {
			patterns = append(patterns, pattern)
		}
		return nil
	})
	return patterns
}

// Pattern gives the pattern of the route that an address leads to.
func (s *Shop) Pattern(method, path string) string {
	return s.handler.(chi.Router).Find(chi.NewRouteContext(), method, path)
}

// Hurry is what sees to it that a page does not take too long.
var (
	Hurry    = hurry
	ReadForm = readForm
	ErrLate  = errLate
)
