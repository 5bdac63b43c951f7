// Package view turns a typed page into HTML.
//
// A page is a struct that embeds [Layout] and names its template, so a
// template cannot be given another page's data. Pages are rendered into a
// buffer before the first byte of the answer leaves: a template that fails
// gives an honest error, never half a page.
package view

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"sync"
)

// Page is a page of the shop: a struct that embeds Layout and says which
// file of templates/ shows it.
type Page interface {
	Template() string
	Frame() *Layout // that of the Layout
}

// Place is a page that the shop shows and knows nothing else of: an address,
// and what makes the page. The shop fills the page's layout.
type Place struct {
	Method, Pattern string // as for chi
	// Show gives the page, or answers by itself, with a redirect, and gives
	// nil. A page that is not there is fs.ErrNotExist; what else a visitor
	// should read is a *Problem.
	Show func(w http.ResponseWriter, r *http.Request) (Page, error)
	Slow bool // it may take 25 s, rather than 10
}

// Problem is an error that a visitor should read: what happened, kindly, and
// what to do.
type Problem struct {
	Status        int
	Heading, Text string
}

func (p *Problem) Error() string { return fmt.Sprintf("%d %s", p.Status, p.Heading) }

// Templates holds every page's template, parsed once.
type Templates struct {
	frames *fragments
	byName map[string]*fragments
}

// layout is the file that every page fills.
const layout = "layout.html"

// Parse reads layout.html and, for every other file, a page that fills it.
func Parse(files fs.FS, assets *Assets) (*Templates, error) {
	funcs := template.FuncMap{"asset": assets.Address, "picture": assets.Picture, "kept": (*fragments)(nil).kept}
	frame, err := template.New(layout).Funcs(funcs).ParseFS(files, layout)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, err
	}
	frames, err := framesOf(frame)
	if err != nil {
		return nil, err
	}
	t := &Templates{frames, map[string]*fragments{}}
	for _, name := range names {
		if name == layout {
			continue
		}
		page, err := frame.Clone()
		if err != nil {
			return nil, err
		}
		f := &fragments{of: page}
		page.Funcs(template.FuncMap{"kept": f.kept})
		if _, err := page.ParseFS(files, name); err != nil {
			return nil, err
		}
		t.byName[name] = f
	}
	return t, nil
}

// Lookup finds the template of a page, layout included.
func (t *Templates) Lookup(name string) (*template.Template, error) {
	found, ok := t.byName[name]
	if !ok {
		return nil, fmt.Errorf("no template %q", name)
	}
	return found.of, nil
}

// buffers are used again, page after page: a new one for each would be most of
// what the garbage collector has to clear away.
var buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 24<<10)) }} // most pages fit

// Render answers with a page. When it returns an error nothing has been sent.
func (t *Templates) Render(w http.ResponseWriter, status int, p Page) error {
	found, ok := t.byName[p.Template()]
	if !ok {
		return fmt.Errorf("no template %q", p.Template())
	}
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := t.write(b, found, p); err != nil {
		return fmt.Errorf("render %s: %w", p.Template(), err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	w.Write(b.Bytes()) // an error means that the browser has gone
	return nil
}

func (t *Templates) write(b *bytes.Buffer, of *fragments, p Page) error {
	if shared, ok := p.(Shared); ok {
		if shows := shared.Shows(); shows != nil {
			html, err := of.keep(fragment{layout, shows}, p)
			b.WriteString(string(html))
			return err
		}
	}
	standing := p.Frame().Standing()
	frame, err := t.frames.keep(fragment{layout, standing}, standing.empty())
	if err != nil {
		return err
	}
	return fill(b, frame, of.of, p)
}
