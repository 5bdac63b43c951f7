package view_test

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"coatcheck/internal/view"
)

type page struct {
	view.Layout
	Text string
	Bad  func() (string, error)
}

func (*page) Template() string { return "page.html" }

type orphan struct{ view.Layout }

func (*orphan) Template() string { return "orphan.html" }

func files(named ...string) fstest.MapFS {
	all := fstest.MapFS{}
	for i := 0; i < len(named); i += 2 {
		all[named[i]] = &fstest.MapFile{Data: []byte(named[i+1])}
	}
	return all
}

const layout = `<title>{{.Title}}</title>{{template "main" .}}`

func parse(t *testing.T, templates, static fs.FS) (*view.Templates, error) {
	t.Helper()
	assets, err := view.NewAssets(static)
	if err != nil {
		t.Fatal(err)
	}
	return view.Parse(templates, assets)
}

func TestPageIsRenderedIntoItsLayout(t *testing.T) {
	t.Parallel()
	templates, err := parse(t, files("layout.html", layout, "page.html", `{{define "main"}}<p>{{.Text}}{{end}}`, "orphan.html", `{{define "main"}}other{{end}}`), files())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := templates.Render(w, http.StatusTeapot, &page{Layout: view.Layout{Title: "A&B"}, Text: "<b>"}); err != nil {
		t.Fatal(err)
	}
	const want = "<title>A&amp;B</title><p>&lt;b&gt;"
	if w.Code != http.StatusTeapot || w.Body.String() != want || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Content-Length") != "34" {
		t.Errorf("%d %v\n%s", w.Code, w.Header(), w.Body)
	}
}

// A template that fails half-way sends nothing, so that an honest error can
// still be sent.
func TestFailedPageSendsNothing(t *testing.T) {
	t.Parallel()
	templates, err := parse(t, files("layout.html", layout, "page.html", `{{define "main"}}half a page{{call .Bad}}{{end}}`), files())
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	for name, p := range map[string]view.Page{
		"an error":    &page{Bad: func() (string, error) { return "", broken }},
		"a panic":     &page{Bad: func() (string, error) { panic("broken") }},
		"no template": &orphan{},
	} {
		w := httptest.NewRecorder()
		if err := templates.Render(w, http.StatusOK, p); err == nil {
			t.Errorf("%s: Render gives no error", name)
		}
		if w.Body.Len() != 0 || len(w.Header()) != 0 {
			t.Errorf("%s: %v %q was sent", name, w.Header(), w.Body)
		}
	}
}

func TestTemplateThatNamesAMissingAssetFails(t *testing.T) {
	t.Parallel()
	templates, err := parse(t, files("layout.html", layout, "page.html", `{{define "main"}}{{asset "none.css"}}{{end}}`), files())
	if err != nil {
		t.Fatal(err)
	}
	if err := templates.Render(httptest.NewRecorder(), http.StatusOK, &page{}); err == nil || !strings.Contains(err.Error(), "none.css") {
		t.Errorf("Render: %v, want an error that names the file", err)
	}
}

func TestTemplatesThatDoNotParseAreRefused(t *testing.T) {
	t.Parallel()
	for name, templates := range map[string]fs.FS{
		"no layout":      files("page.html", ""),
		"a bad layout":   files("layout.html", "{{"),
		"a bad page":     files("layout.html", layout, "page.html", "{{end}}"),
		"a bad function": files("layout.html", layout, "page.html", "{{nothing}}"),
	} {
		if _, err := parse(t, templates, files()); err == nil {
			t.Errorf("%s: Parse gives no error", name)
		}
	}
}

func TestGuestHasNoName(t *testing.T) {
	t.Parallel()
	if (view.Visitor{CartCount: 3}).SignedIn() || !(view.Visitor{Name: "Alice"}).SignedIn() {
		t.Error("a visitor is signed in if, and only if, they have a name")
	}
}
