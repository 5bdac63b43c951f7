package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

// AddPanic gives the shop an address whose handler panics.
func (s *Shop) AddPanic(path string) {
	s.handler.(chi.Router).Get(path, func(http.ResponseWriter, *http.Request) { panic("came off its hanger") })
}
