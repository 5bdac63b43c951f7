package view

import (
	"html/template"
	"strings"
	"sync"
)

// fragments are those parts of a page that come out the same for many visitors.
// A template asks for one by kept, with the name of the template that makes it
// and what that shows:
//
//	{{kept "rail" .Rail}}
//
// It is made once, and kept for whenever it is to show the same. What it shows
// must be comparable and must not change: so a pointer must lead to something
// that never changes. And there must be few of them: what each visitor sees in
// another way goes around the fragments.
type fragments struct {
	of *template.Template

	mu   sync.RWMutex
	made map[fragment]template.HTML
	size int // of what was made, in bytes
}

type fragment struct {
	name  string // of its template
	shows any
}

// mostKept is how much HTML a page keeps, in bytes; a rail of ten thousand
// products is 2.7 MB. When there is more, it begins anew: it may show what is
// long out of date, and anyone may have made up the addresses it was made for.
const mostKept = 8 << 20

func (f *fragments) kept(name string, shows any) (template.HTML, error) {
	return f.keep(fragment{name, shows}, shows)
}

func (f *fragments) keep(wanted fragment, data any) (template.HTML, error) {
	f.mu.RLock()
	html, ok := f.made[wanted]
	f.mu.RUnlock()
	if ok {
		return html, nil
	}
	var b strings.Builder
	if err := f.of.ExecuteTemplate(&b, wanted.name, data); err != nil {
		return "", err
	}
	html = template.HTML(b.String()) // its own template has escaped it
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.size += len(html); f.made == nil || f.size > mostKept {
		f.made, f.size = map[fragment]template.HTML{}, len(html)
	}
	f.made[wanted] = html
	return html, nil
}

// Shared is a page that some visitors see alike, from its first letter to its
// last: it is kept whole. Shows is all that it shows, under the rules of
// fragments, or nil where it shows something that is one visitor's own.
type Shared interface {
	Page
	Shows() any
}
