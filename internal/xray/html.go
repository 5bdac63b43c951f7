package xray

import (
	"html/template"
	"strconv"
	"strings"
)

// The X-ray stands on every page, so it is written by hand: html/template took
// a third of a page's time for it.

// pen puts HTML together from markup and text in turn, beginning with
// markup. Text is escaped, so it may stand between tags or in quotes, and
// nowhere else.
type pen struct{ b []byte }

func (w *pen) put(markupAndText ...string) {
	for i, s := range markupAndText {
		if i%2 == 1 && strings.ContainsAny(s, "<>&\"'\x00") {
			s = template.HTMLEscapeString(s)
		}
		w.b = append(w.b, s...)
	}
}

func (w *pen) html() template.HTML { return template.HTML(w.b) }

// HTML is the panel as a ticket: the stub is what the visitor holds.
func (p *Panel) HTML() template.HTML {
	w := &pen{make([]byte, 0, 8<<10)}
	w.put(`<div class="ticket ticket-row exchange">`)
	p.stub(w)
	w.put(`<div class="exchange-text">`)
	p.coatRoom(w)
	p.coat(w)
	p.wentBack(w)
	w.put(`</div></div>`)
	return w.html()
}

func (p *Panel) stub(w *pen) {
	w.put(`<div class="exchange-stub"><p class="exchange-what"><code>`, p.Method+" "+p.Path, `</code>`)
	if p.Status != 0 {
		w.put(` <span>`, strconv.Itoa(p.Status), `</span>`)
	}
	w.put(`</p><h3>The ticket</h3>`)
	if p.Ticket.Start != "" {
		w.put(`<p class="exchange-id"><code>`, p.Ticket.Start, `…</code></p>`)
	}
	w.put(`<p>`, p.Carried(), `</p>`)
	if clocks := p.Clocks(); clocks != nil {
		w.put(`<h3>Two clocks</h3><dl class="clocks">`)
		for _, c := range clocks {
			w.put(`<div><dt>`, c.Name, `</dt><dd>`,
				"", `<svg class="clock" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="clock-whole" width="100" height="6"/><rect class="clock-left" width="`, strconv.Itoa(c.Percent()), `" height="6"/></svg>`,
				"", ` <span class="clock-text" data-left="`, strconv.Itoa(c.Seconds), `" data-whole="`, strconv.Itoa(c.Whole), `">`, c.Text, `</span> <span class="small">`, c.Means, `</span></dd></div>`)
		}
		w.put(`</dl>`)
	}
	w.put(`</div>`)
}

func (p *Panel) coatRoom(w *pen) {
	w.put(`<section><h3>The coat room</h3>`)
	if len(p.Room) == 0 {
		w.put(`<p>Nobody asked it anything.</p></section>`)
		return
	}
	w.put(`<ol class="room" role="list">`)
	for _, v := range p.Room {
		if v.Call != "" {
			w.put(`<li class="room-session"><p class="small"><strong>The session: `, v.Call, `</strong>`)
		} else {
			w.put(`<li><p class="small"><strong>The shop</strong>`)
		}
		w.put(` · `, v.Time())
		if v.Outcome != "" {
			w.put(` · `, v.Outcome)
		}
		if means := calls[v.Call]; means != "" {
			w.put(` · `, means)
		}
		w.put(`</p>`)
		for _, s := range v.Statements {
			w.put(`<p class="room-line"><code>`, s.Line(), `</code>`)
			if strings.Contains(s.Text, " ") { // not begin or commit
				w.put(` <span class="small">→ `, s.Count(), `</span>`)
			}
			w.put(`</p>`)
		}
		w.put(`</li>`)
	}
	w.put(`</ol></section>`)
}

// calls says what the session asks its store for.
var calls = map[string]string{
	"load":           "which coat hangs under this ticket’s hash?",
	"touch":          "set the idle clock back",
	"create":         "hang up a new coat",
	"move":           "take the old coat down and hang up a new one, in one step",
	"moved at":       "has that coat moved to another hook a moment ago?",
	"delete":         "take the coat down",
	"delete oldest":  "an account may have so many, and no more",
	"delete handle":  "take another coat of this account down",
	"delete by user": "take this account’s coats down",
	"delete all":     "take everybody’s coats down",
	"by user":        "which coats does this account have here?",
}

func (p *Panel) coat(w *pen) {
	shown := p.After // as it lies there now
	if shown == nil {
		shown = p.Found
	}
	if shown == nil {
		return
	}
	where := `What the store keeps of the session, `
	if p.InTable {
		where = `A row of the table <code>sessions</code>, `
	}
	w.put(`<section><h3>The coat</h3><table class="coat"><caption>`)
	w.put(where, strconv.Itoa(shown.Bytes()), ` bytes of values</caption>`)
	changed := p.Change != Unchanged
	if changed {
		w.put(`<thead><tr><th scope="col">Column</th><th scope="col">Before</th><th scope="col">After</th><th scope="col" class="count">Bytes</th></tr></thead><tbody>`)
	} else {
		w.put(`<thead><tr><th scope="col">Column</th><th scope="col">Value</th><th scope="col" class="count">Bytes</th></tr></thead><tbody>`)
	}
	for _, f := range p.Fields() {
		if changed && f.Before != f.After {
			w.put(`<tr class="coat-changed">`)
		} else {
			w.put(`<tr>`)
		}
		w.put(`<th scope="row"><code>`, f.Name, `</code></th>`)
		if changed {
			w.put(`<td><code>`, f.Before, `</code></td>`)
		}
		w.put(`<td><code>`, f.After, `</code>`)
		if f.LeadsTo != "" {
			w.put(` → `, f.LeadsTo)
		}
		w.put(`</td><td class="count">`, strconv.Itoa(f.Bytes), `</td></tr>`)
	}
	w.put(`</tbody></table><p class="small">The key is the SHA-256 of the ticket, so whoever reads the store holds no ticket. The handle is its name in lists, and opens nothing. The rest are references and deadlines: who you are and what you buy is looked up where it lives.</p></section>`)
}

func (p *Panel) wentBack(w *pen) {
	w.put(`<section><h3>What went back</h3>`)
	for _, c := range p.Cookies {
		w.put(`<p><code>Set-Cookie: `, c.Line, `</code>`)
		if !c.Session {
			w.put(` <span class="small">Not the ticket: a note for the next page.</span></p>`)
			continue
		}
		w.put(`</p><dl class="flags">`)
		for _, f := range c.Flags() {
			w.put(`<div><dt><code>`, f.Name, `</code></dt><dd>`, f.Means, `</dd></div>`)
		}
		w.put(`</dl>`)
	}
	if nothing := p.Nothing(); nothing != "" {
		w.put(`<p>`, nothing, `</p>`)
	}
	w.put(`</section>`)
}

// Exchanges are the last ones of a session.
type Exchanges []*Exchange

// HTML is a list of links to their X-rays.
func (list Exchanges) HTML() template.HTML {
	w := &pen{}
	w.put(`<ol role="list">`)
	for _, e := range list {
		w.put(`<li><a href="/xray/`, strconv.Itoa(e.Number), `"><code>`, e.Method+" "+e.Path, `</code></a> <span class="small">`, clockTime(e.At), ` · `, strconv.Itoa(e.Status))
		if e.Change != Unchanged {
			w.put(` · `, e.Change.words())
		}
		w.put(`</span></li>`)
	}
	w.put(`</ol>`)
	return w.html()
}
