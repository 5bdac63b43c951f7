package metrics_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"coatcheck/internal/metrics"
	"coatcheck/internal/postgres/pgtest"
)

// A store that cannot be asked costs one figure, not all of them.
func TestCountThatFailsIsLeftOut(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for name, c := range map[string]struct {
		live  func(context.Context) (int, error)
		shown bool
	}{
		"counts": {func(context.Context) (int, error) { return 7, nil }, true},
		"fails":  {func(context.Context) (int, error) { return 0, errors.New("no answer") }, false},
		"hangs": {func(ctx context.Context) (int, error) {
			if _, limited := ctx.Deadline(); !limited {
				t.Error("the count may take as long as it likes")
			}
			return 0, context.DeadlineExceeded
		}, false},
	} {
		m := metrics.New()
		m.Watch(db, c.live)
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		figures := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(figures, "shop_db_connections_most ") || strings.Contains(figures, "shop_sessions_live 7\n") != c.shown {
			t.Errorf("a count that %s: %d\n%s", name, w.Code, figures)
		}
	}
}
