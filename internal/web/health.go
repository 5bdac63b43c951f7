package web

import (
	"context"
	"errors"
	"io"
	"net/http"

	"coatcheck/internal/sessions"
)

// healthz says that the process lives.
func (s *Shop) healthz(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }

// readyz says whether visitors should be sent here: whether Postgres and the
// session store answer, and the shop is not about to close.
func (s *Shop) readyz(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		http.Error(w, "the shop is closing", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.patience)
	defer cancel()
	if err := s.db.Ping(ctx); err != nil {
		s.log.ErrorContext(ctx, "not ready", "what", "Postgres", "error", err)
		http.Error(w, "Postgres does not answer", http.StatusServiceUnavailable)
		return
	}
	// Nobody's session is filed under the zero key; the store must say so.
	if _, err := s.store.Load(ctx, sessions.Key{}); !errors.Is(err, sessions.ErrNotFound) {
		s.log.ErrorContext(ctx, "not ready", "what", "session store", "error", err)
		http.Error(w, "the session store does not answer", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "ok")
}
