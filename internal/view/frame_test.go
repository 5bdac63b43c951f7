package view_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/view"
	"coatcheck/internal/xray"
	"coatcheck/static"
	"coatcheck/templates"
)

type problem struct {
	view.Layout
	Status                 int
	Heading, Text, Request string
}

func (*problem) Template() string { return "error.html" }

// recording is that of a request.
func recording(t *testing.T) (found *xray.Recording) {
	t.Helper()
	recorder := &xray.Recorder{Now: time.Now}
	recorder.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found = xray.From(r.Context())
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	return found
}

// took is how long what the X-ray shows has taken so far.
var took = regexp.MustCompile(`[0-9.]+ (µs|ms|s)`)

// A page in a frame that is kept is, letter for letter, what html/template makes
// of the whole, for whoever looks, and whoever has looked before.
func TestKeptFrameIsThatOfAnyVisitor(t *testing.T) {
	t.Parallel()
	parsed, err := parse(t, templates.Files, static.Files)
	if err != nil {
		t.Fatal(err)
	}
	alice := view.Visitor{Name: `<Alice "O'Neill" & sons>`, CartCount: 3}
	bob := view.Visitor{Name: "{{.Visitor}} onload=x", CartCount: 12345}
	for range 2 {
		for name, l := range map[string]view.Layout{
			"a stranger":               {},
			"a guest":                  {Visitor: view.Visitor{CartCount: 1}, Left: view.Left{Seconds: 1800}},
			"Alice":                    {Visitor: alice, Left: view.Left{Seconds: 1800}},
			"Bob":                      {Visitor: bob, Left: view.Left{Seconds: 7}},
			"Alice, at the end":        {Visitor: alice, Left: view.Left{Seconds: 59, Final: true}},
			"Alice, with a message":    {Visitor: alice, Notice: view.Notice{Text: "One <coat>"}, Left: view.Left{Seconds: 9}},
			"Bob, with a problem":      {Visitor: bob, Notice: view.Notice{Text: "No coat", Error: true}, Left: view.Left{Seconds: 9}},
			"an administrator":         {Visitor: view.Visitor{Name: "Ada", Admin: true}, Left: view.Left{Seconds: 8}},
			"a reader of the X-ray":    {Visitor: alice, Left: view.Left{Seconds: 8}, XRay: recording(t)},
			"a stranger with an X-ray": {XRay: recording(t), Demo: true},
		} {
			for _, path := range []string{"/", "/cart", "/login", `/"><script>`} {
				p := &problem{Layout: l, Status: 404, Heading: "No <such> coat"}
				p.Title, p.Path = "Not "+path, path
				plain, err := parsed.Lookup(p.Template())
				if err != nil {
					t.Fatal(err)
				}
				var want strings.Builder
				if err := plain.Execute(&want, p); err != nil {
					t.Fatal(err)
				}
				if got, want := took.ReplaceAllString(rendered(t, parsed, p), "…"), took.ReplaceAllString(want.String(), "…"); got != want {
					t.Errorf("%s sees at %s\n%s\nand not\n%s", name, path, got, want)
				}
			}
		}
	}
}
