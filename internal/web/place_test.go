package web_test

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/view"
	"coatcheck/internal/web"
)

// A place takes as long as it may, and its errors are pages of the shop.
func TestPlacesOfOthersAreThePagesOfTheShop(t *testing.T) {
	t.Parallel()
	patience := map[string]time.Duration{}
	note := func(name string, err error) func(http.ResponseWriter, *http.Request) (view.Page, error) {
		return func(w http.ResponseWriter, r *http.Request) (view.Page, error) {
			deadline, has := r.Context().Deadline()
			if has {
				patience[name] = time.Until(deadline)
			}
			if err == nil {
				w.WriteHeader(http.StatusNoContent)
			}
			return nil, err
		}
	}
	s := open(t, func(c *web.Config) {
		c.Places = []view.Place{
			{Method: http.MethodGet, Pattern: "/quick", Show: note("quick", nil)},
			{Method: http.MethodGet, Pattern: "/slow", Show: note("slow", nil), Slow: true},
			{Method: http.MethodGet, Pattern: "/gone", Show: note("gone", fs.ErrNotExist)},
			{Method: http.MethodGet, Pattern: "/taken", Show: note("taken", &view.Problem{Status: http.StatusServiceUnavailable, Heading: "Taken", Text: "Come <again>."})},
		}
	})
	b := s.browser()
	b.get("/quick").is(http.StatusNoContent)
	b.get("/slow").is(http.StatusNoContent)
	if _, slow := patience["quick"]; slow || patience["slow"] < 20*time.Second || patience["slow"] > 25*time.Second {
		t.Errorf("the places may take %v; want 25 s for the slow one, and the clock of a page for the other", patience)
	}
	if a := b.get("/gone").is(http.StatusNotFound); !strings.Contains(a.body, "Nothing on this hook") {
		t.Errorf("a place that is not there is answered with\n%s", a.body)
	}
	if a := b.get("/taken").is(http.StatusServiceUnavailable); !strings.Contains(a.body, "<h1>Taken</h1>") ||
		!strings.Contains(a.body, "Come &lt;again&gt;.") || a.Header.Get("Retry-After") == "" {
		t.Errorf("a place that tells what is wrong is answered with %v\n%s", a.Header, a.body)
	}
	if n := s.log.count("failed"); n != 0 {
		t.Errorf("what a visitor is told is logged as a failure, %d times", n)
	}
}
