package view_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"coatcheck/internal/view"
)

// A list shows things, and counts how often its template asks for them.
type list struct {
	things []string
	asked  int
}

func (l *list) Things() []string {
	l.asked++
	return l.things
}

type shelfPage struct {
	view.Layout
	List *list
	Key  any
}

func (*shelfPage) Template() string { return "page.html" }
func (p *shelfPage) Shows() any {
	if !p.Same() {
		return nil
	}
	return p.Key
}

const shelf = `{{define "main"}}{{.Visitor.Name}}:{{kept "things" .List}}{{end}}{{define "things"}}{{range .Things}}<b>{{.}}</b>{{end}}{{end}}`

const gapped = `{{template "notice" .}}{{template "seconds" .}}{{template "count" .}}{{template "main" .}}{{with .XRay}}{{template "xray" .}}{{end}}
	{{define "notice"}}{{.Notice.Text}}{{end}}{{define "seconds"}}{{.Left.Seconds}}{{end}}{{define "count"}}{{.Visitor.CartCount}}{{end}}{{define "xray"}}X-ray{{end}}`

func rendered(t *testing.T, templates *view.Templates, p view.Page) string {
	t.Helper()
	w := httptest.NewRecorder()
	if err := templates.Render(w, http.StatusOK, p); err != nil {
		t.Fatal(err)
	}
	return w.Body.String()
}

func TestFragmentIsMadeOnceForAll(t *testing.T) {
	t.Parallel()
	templates, err := parse(t, files("layout.html", `{{template "main" .}}`, "page.html", shelf), files())
	if err != nil {
		t.Fatal(err)
	}
	a, b := &list{things: []string{"<coat>"}}, &list{things: []string{"cape"}}
	for range 3 {
		for _, name := range []string{"Alice", "Bob"} {
			for _, c := range []struct {
				*list
				want string
			}{{a, "<b>&lt;coat&gt;</b>"}, {b, "<b>cape</b>"}} {
				p := &shelfPage{List: c.list}
				p.Visitor.Name = name
				if got, want := rendered(t, templates, p), name+":"+c.want; got != want {
					t.Errorf("the page is %q, want %q", got, want)
				}
			}
		}
	}
	if a.asked != 1 || b.asked != 1 {
		t.Errorf("the fragments were made %d and %d times, want once each", a.asked, b.asked)
	}
}

// What a page keeps has an end, whatever addresses somebody makes up.
func TestKeptFragmentsHaveABound(t *testing.T) {
	t.Parallel()
	templates, err := parse(t, files("layout.html", `{{template "main" .}}`, "page.html", shelf), files())
	if err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("a", 800<<10)
	first := &list{things: []string{big}}
	rendered(t, templates, &shelfPage{List: first})
	for range 8 {
		rendered(t, templates, &shelfPage{List: &list{things: []string{big}}})
	}
	if rendered(t, templates, &shelfPage{List: first}); first.asked != 1 {
		t.Errorf("a fragment was made %d times while there was room", first.asked)
	}
	rendered(t, templates, &shelfPage{List: &list{things: []string{big}}})
	rendered(t, templates, &shelfPage{List: &list{things: []string{big}}})
	if rendered(t, templates, &shelfPage{List: first}); first.asked != 2 {
		t.Errorf("a fragment was made %d times; want once more, since there are more than eight mebibytes", first.asked)
	}
	rendered(t, templates, &shelfPage{List: &list{things: []string{big}}})
	if rendered(t, templates, &shelfPage{List: first}); first.asked != 2 {
		t.Errorf("a fragment was made %d times, although there is room again", first.asked)
	}
}

// A page is kept whole for those who see the same, and for nobody who sees
// something of their own.
func TestPageOfAVisitorIsNobodyElses(t *testing.T) {
	t.Parallel()
	templates, err := parse(t, files("layout.html", gapped, "page.html", shelf), files())
	if err != nil {
		t.Fatal(err)
	}
	l := &list{}
	stranger := func() *shelfPage { return &shelfPage{List: l, Key: 1} }
	first := rendered(t, templates, stranger())
	for name, own := range map[string]func(*shelfPage){
		"a name":             func(p *shelfPage) { p.Visitor.Name = "Alice" },
		"a cart":             func(p *shelfPage) { p.Visitor.CartCount = 2 },
		"a message":          func(p *shelfPage) { p.Notice.Text = "You are signed out." },
		"an X-ray":           func(p *shelfPage) { p.XRay = recording(t) },
		"a session":          func(p *shelfPage) { p.Left.Seconds = 60 },
		"another page":       func(p *shelfPage) { p.Key, p.Visitor.Name = 2, "other" },
		"a name and no page": func(p *shelfPage) { p.Key, p.Visitor.Name = nil, "Bob" },
	} {
		p := stranger()
		own(p)
		if got := rendered(t, templates, p); got == first {
			t.Errorf("who has %s sees the stranger's page", name)
		}
		if got := rendered(t, templates, stranger()); got != first {
			t.Errorf("after the page of somebody who has %s, a stranger sees %q", name, got)
		}
	}
}

func TestFragmentThatFailsIsNoPage(t *testing.T) {
	t.Parallel()
	templates, err := parse(t, files("layout.html", `{{template "main" .}}`, "page.html", `{{define "main"}}{{kept "none" 1}}{{end}}`), files())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*shelfPage{{}, {Key: 1}} {
		w := httptest.NewRecorder()
		if err := templates.Render(w, http.StatusOK, p); err == nil || w.Body.Len() != 0 {
			t.Errorf("Render: %v, and %q was sent", err, w.Body)
		}
	}
}
