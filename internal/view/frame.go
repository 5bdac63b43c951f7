package view

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"coatcheck/internal/xray"
)

// A page's frame is kept, with gaps where each visitor sees something else: what
// is in their cart, their name, how long they have, a message, and the page's
// own matter. It is made from a [Standing] and nothing else, so it cannot show
// what is a visitor's own; that is put into the gaps for each answer.
//
// Each gap is a template of the layout that shows nothing but itself.
var gaps = []string{"count", "name", "seconds", "notice", "main", "xray"}

// gap is before and after the name of each gap in a frame. It is random, so that
// no address or title that somebody makes up can look like one.
var gap = rand.Text()

// framesOf keeps the frames that the layout makes.
func framesOf(layout *template.Template) (*fragments, error) {
	frame, err := layout.Clone()
	if err != nil {
		return nil, err
	}
	for _, name := range gaps {
		if _, err := frame.New(name).Parse(gap + name + gap); err != nil {
			return nil, err
		}
	}
	return &fragments{of: frame}, nil
}

// empty is a layout of this standing in which there is nothing else.
func (s Standing) empty() *Layout {
	l := &Layout{Title: s.Title, Path: s.Path, Demo: s.Demo, Visitor: Visitor{Admin: s.Admin}, Left: Left{Final: s.Final}}
	if s.SignedIn {
		l.Visitor.Name = "somebody"
	}
	if s.Clock {
		l.Left.Seconds = 1
	}
	if s.XRay {
		l.XRay = &xray.Recording{}
	}
	return l
}

// fill writes a page into its frame, by the page's own template where what goes
// into a gap is more than a word.
func fill(b *bytes.Buffer, frame template.HTML, of *template.Template, p Page) error {
	l := p.Frame()
	for left := string(frame); ; {
		html, after, found := strings.Cut(left, gap)
		b.WriteString(html)
		if !found {
			return nil
		}
		var name string
		name, left, _ = strings.Cut(after, gap)
		var err error
		switch name {
		case "count":
			b.WriteString(strconv.Itoa(l.Visitor.CartCount))
		case "name":
			b.WriteString(template.HTMLEscapeString(l.Visitor.Name)) // in text, or in quotes
		case "seconds":
			b.WriteString(strconv.Itoa(l.Left.Seconds))
		case "notice":
			if l.Notice.Text != "" {
				err = of.ExecuteTemplate(b, name, l)
			}
		case "main":
			err = of.ExecuteTemplate(b, name, p)
		case "xray":
			err = of.ExecuteTemplate(b, name, l.XRay)
		default:
			err = fmt.Errorf("no gap is called %q", name)
		}
		if err != nil {
			return err
		}
	}
}
