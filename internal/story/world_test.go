package story_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"coatcheck/internal/story"
)

// In the same process a request must not bring more along than it would
// through a network.
func TestHandlerIsAskedAsThroughANetwork(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "of the caller"))
	way := story.Handler{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != "a=b" || r.Host != "first.example" || r.RequestURI != "/path?q=1" || r.RemoteAddr == "" {
			t.Errorf("asked: %v, %q %q %q %q", err, body, r.Host, r.RequestURI, r.RemoteAddr)
		}
		if r.Context().Value(key{}) != nil {
			t.Error("the handler sees what belongs to the caller")
		}
		if r.Context().Done() == nil {
			t.Error("the handler does not learn that the caller has left")
		}
		w.Header().Set("X-Before", "1")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK)
		w.Header().Set("X-After", "1")
		io.WriteString(w, "short and stout")
	})}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://first.example/path?q=1", strings.NewReader("a=b"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := way.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "short and stout" || response.StatusCode != http.StatusTeapot ||
		response.Header.Get("X-Before") != "1" || response.Header.Get("X-After") != "" {
		t.Errorf("answered: %v, %d %q %v", err, response.StatusCode, body, response.Header)
	}

	cancel()
	if _, err := way.RoundTrip(r); !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller has left: %v", err)
	}
}

func TestHandlerThatWritesNothingAnswers200(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://first.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := story.Handler{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", response, err)
	}
}
