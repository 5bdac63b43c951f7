package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"coatcheck/internal/story"
	"coatcheck/internal/xray"
)

// printer writes a transcript for a terminal.
type printer struct {
	w       io.Writer
	colours bool
}

// Colours, as a terminal knows them.
const (
	bold  = "1"
	faint = "2"
	red   = "31"
	green = "32"
	brass = "33"
)

func (p *printer) in(colour, text string) string {
	if !p.colours || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// line writes a line of what may in part be a stranger's server's words.
func (p *printer) line(indent int, colour, text string) {
	fmt.Fprintln(p.w, strings.Repeat(" ", indent)+p.in(colour, visible(text)))
}

// labelled writes a line with a name in front.
func (p *printer) labelled(name, text string) {
	fmt.Fprintf(p.w, "     %s %s\n", p.in(faint, fmt.Sprintf("%-11s", name)), visible(text))
}

func (p *printer) print(t *story.Transcript) {
	p.line(0, bold, t.Story.Title)
	for _, paragraph := range t.Story.Intro {
		fmt.Fprintln(p.w)
		p.wrapped(0, "", paragraph)
	}
	fmt.Fprintln(p.w)
	for _, a := range t.Story.Cast {
		p.wrapped(0, "", a.Name+" "+a.Who)
	}
	if t.Blind() {
		fmt.Fprintln(p.w)
		p.wrapped(0, brass, "This shop is not in demo mode (--demo), so it gives no X-rays. What the story expects of them is left out.")
	}
	for _, step := range t.Played {
		fmt.Fprintln(p.w)
		p.step(step, len(t.Story.Steps))
	}
	fmt.Fprintln(p.w)
	if t.Stopped != "" {
		p.line(0, red, t.Stopped)
	}
	p.sum(t)
}

func (p *printer) sum(t *story.Transcript) {
	all, failed := t.Checked(), t.Failed()
	text := fmt.Sprintf("%d of %d steps, in %.1f s. ", len(t.Played), len(t.Story.Steps), t.Took.Seconds())
	if failed > 0 {
		p.line(0, red, text+fmt.Sprintf("%d of %d expectations did not hold.", failed, all))
		return
	}
	p.line(0, green, text+fmt.Sprintf("All %d expectations held.", all))
}

func (p *printer) step(s story.Played, of int) {
	fmt.Fprintf(p.w, "%s  %s\n", p.in(faint, fmt.Sprintf("%2d/%d", s.Number, of)), p.in(bold, s.Title))
	p.wrapped(5, faint, s.Why)
	if s.Limit != "" {
		p.wrapped(5, brass, s.Limit)
	}
	if s.Exchange != nil {
		p.exchange(s)
	}
	for _, o := range s.Outcomes {
		p.outcome(o)
	}
}

func (p *printer) exchange(s story.Played) {
	x := s.Exchange
	p.labelled("asks", fmt.Sprintf("%s → %s   %s %s", s.Who, s.Server, x.Method, x.Path))
	if s.Ask.Site != "" {
		p.labelled("", "sent by a page of "+s.Ask.Site)
	}
	for _, f := range x.Form {
		p.labelled("", f.Name+" = "+f.Value)
	}
	ticket := "none"
	if x.Sent != "" {
		ticket = x.Sent
	}
	p.labelled("ticket in", ticket)
	answer := fmt.Sprintf("%d %s", x.Status, x.Phrase())
	if x.Location != "" {
		answer += " → " + x.Location
	}
	p.labelled("answer", answer+"   in "+milliseconds(x.Took))
	for i, line := range x.Cookies {
		name := ""
		if i == 0 {
			name = "set-cookie"
		}
		p.labelled(name, line)
	}
	if x.XRay != nil {
		p.lookUps(x.XRay)
	}
}

// lookUps lists the round trips to the database. Those that the session has
// made for itself have a dot.
func (p *printer) lookUps(x *xray.Exchange) {
	if len(x.Room) == 0 {
		p.labelled("look-ups", "none")
		return
	}
	p.labelled("look-ups", "(● for the session)")
	for _, v := range x.Room {
		mark, colour := " ", faint
		if v.Call != "" {
			mark, colour = "●", brass
		}
		for i, s := range v.Statements {
			took := ""
			if i == 0 {
				took = milliseconds(v.Took)
			}
			p.line(5, colour, fmt.Sprintf("%s %10s  %s → %s", mark, took, shorten(s.Line(), 50), s.Count()))
		}
		if v.Outcome != "" || len(v.Statements) == 0 {
			p.line(5, colour, fmt.Sprintf("%s %10s  %s", mark, milliseconds(v.Took), strings.TrimSpace(v.Call+" "+v.Outcome)))
		}
	}
}

func (p *printer) outcome(o story.Outcome) {
	switch {
	case o.Unseen: // said once, at the top
	case o.Held:
		fmt.Fprintf(p.w, "     %s %s\n", p.in(green, "✓"), visible(o.Want))
	default:
		fmt.Fprintf(p.w, "     %s %s; %s\n", p.in(red, "✗"), visible(o.Want), p.in(red, visible(o.Got)))
	}
}

// wrapped breaks a paragraph into lines that a narrow window can hold.
func (p *printer) wrapped(indent int, colour, text string) {
	for _, line := range story.Wrap(text, 78-indent) {
		p.line(indent, colour, line)
	}
}

func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}
