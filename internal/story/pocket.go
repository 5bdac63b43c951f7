package story

import (
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// pocket is what an actor has: cookies, and the page that came last. All
// servers of a story are one shop, so each of them gets the same cookies.
type pocket struct {
	cookies  map[string]string
	page     string
	location string // where the last answer leads
}

// ticketNames are those of the session's cookie, over https and without.
var ticketNames = []string{"__Host-session", "session"}

func isTicket(cookie string) bool { return slices.Contains(ticketNames, cookie) }

// ticket is the session's cookie; both are empty if there is none.
func (p *pocket) ticket() (name, id string) {
	for _, name := range ticketNames {
		if id := p.cookies[name]; id != "" {
			return name, id
		}
	}
	return "", ""
}

// carry replaces the ticket.
func (p *pocket) carry(name, id string) {
	for _, old := range ticketNames {
		delete(p.cookies, old)
	}
	if id != "" {
		p.cookies[name] = id
	}
}

// show puts the cookies into a request.
func (p *pocket) show(r *http.Request) {
	for _, name := range slices.Sorted(maps.Keys(p.cookies)) {
		r.AddCookie(&http.Cookie{Name: name, Value: p.cookies[name]})
	}
}

// keep does what an answer asks a browser to do, and says what that does to
// the ticket.
func (p *pocket) keep(a *http.Response) Ticket {
	_, before := p.ticket()
	became := SameTicket
	if before == "" {
		became = NoTicket
	}
	for _, c := range a.Cookies() {
		drop := c.MaxAge < 0 || c.Value == ""
		if drop {
			delete(p.cookies, c.Name)
		} else {
			p.cookies[c.Name] = c.Value
		}
		switch {
		case !isTicket(c.Name):
		case drop:
			became = DroppedTicket
		case c.Value != before:
			became = NewTicket
		}
	}
	return became
}

// The marks by which the shop's pages can be read.
var (
	nameMark = regexp.MustCompile(`id="account-name"[^>]*>([^<]*)<`)
	cartMark = regexp.MustCompile(`id="cart-count"[^>]*>([^<]*)<`)
)

// mark reads what a mark in the page holds.
func mark(page string, m *regexp.Regexp) string {
	if found := m.FindStringSubmatch(page); found != nil {
		return strings.TrimSpace(html.UnescapeString(found[1]))
	}
	return ""
}

// hidden is the value of a hidden field of the page.
func (p *pocket) hidden(name string) string {
	return mark(p.page, regexp.MustCompile(`name="`+regexp.QuoteMeta(name)+`" value="([^"]*)"`))
}
