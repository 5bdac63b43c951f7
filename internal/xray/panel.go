package xray

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"coatcheck/internal/sessions"
)

// Panel is an exchange as a page shows it, at a time. Its methods put into
// words what the exchange holds, and nothing else.
type Panel struct {
	*Exchange
	Now time.Time
}

// NewPanel prepares an exchange to be shown at now.
func NewPanel(e *Exchange, now time.Time) *Panel { return &Panel{e, now} }

// Summary is the exchange in a line.
func (p *Panel) Summary() string {
	ticket := "no ticket"
	switch {
	case p.Ticket.Start != "":
		ticket = "ticket " + p.Ticket.Start + "…"
	case p.Ticket.State == sessions.TicketRepeated.String():
		ticket = "several tickets"
	}
	what := p.Change.words()
	if what == "" {
		what = map[string]string{
			sessions.TicketNone.String(): "nothing to look up",
			sessions.TicketLive.String(): "found",
			"":                           "the coat room could not be asked",
		}[p.Ticket.State]
	}
	if p.turnedAway() {
		what = "not looked at"
	}
	if what == "" {
		what = "it opened nothing"
	}
	trips := "no round trips"
	switch n := len(p.Room); {
	case n == 1:
		trips = "1 round trip"
	case n > 1:
		trips = fmt.Sprintf("%d round trips", n)
	}
	return strings.Join([]string{ticket, what, trips}, " · ")
}

// words say what became of a session; empty if nothing did.
func (c Change) words() string {
	switch c {
	case Began:
		return "a session began"
	case Moved:
		return "the session moved to a new ticket"
	case Touched:
		return "found, and its idle clock set back"
	case Ended:
		return "the session ended"
	}
	return ""
}

// turnedAway says that the request was refused before its ticket was looked at,
// such as a form of another site.
func (p *Panel) turnedAway() bool { return p.Ticket.State == "" && len(p.Room) == 0 }

// Carried says what became of the ticket that came.
func (p *Panel) Carried() string {
	switch p.Ticket.State {
	case sessions.TicketNone.String():
		if p.Change == Began {
			return "You carried none. But now there was something worth remembering, so you were given one."
		}
		return "You carry none, and nothing needed remembering."
	case sessions.TicketMalformed.String():
		return "No ticket of ours looks like that. It was refused without a look-up."
	case sessions.TicketRepeated.String():
		return "Several came at once. Somebody may have planted one, so none of them counts."
	case sessions.TicketUnknown.String():
		return "It has the shape of a ticket, but no coat hangs there: it was made up, or its session is over."
	case sessions.TicketIdledOut.String():
		return "Its coat was found, but nobody had come for too long: its idle deadline had passed."
	case sessions.TicketLivedOut.String():
		return "Its coat was found, but it had hung there for too long: its absolute deadline had passed."
	case sessions.TicketLive.String():
		switch p.Change {
		case Moved:
			return "Its coat was found. The shop took it down, and hung up a new one under a new ticket: this old one opens nothing from now on, so nobody who knows its number comes in along with you."
		case Ended:
			return "Its coat was found, and taken down. Whoever shows this ticket again, you or a thief, shows a piece of paper."
		}
		return "Its coat was found."
	}
	if p.turnedAway() {
		return "Nobody looked at it: the request was turned away before."
	}
	return "The coat room could not be asked, so nobody knows. The ticket stays as it is."
}

// Line is a statement on one line.
func (s Statement) Line() string { return strings.Join(strings.Fields(s.Text), " ") }

// Count is how many rows, or values, it found or wrote.
func (s Statement) Count() string {
	if s.Keys {
		return count(s.Rows, "value")
	}
	return count(s.Rows, "row")
}

// Time is how long a visit took.
func (v Visit) Time() string { return milliseconds(v.Took) }

// count is how many of something there are.
func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.FormatInt(n, 10) + " " + what + "s"
}

// clockTime is when something happened, on a day that is known.
func clockTime(t time.Time) string { return t.UTC().Format("15:04:05") }

// Time is how long the exchange has taken.
func (p *Panel) Time() string { return milliseconds(p.Took) }

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 2, 64) + " ms"
}

// Field is a column of the table sessions, with what it held when the request
// came and when the answer left. A dash stands for nothing.
type Field struct {
	Name, Before, After string
	LeadsTo             string // what a reference led to, if anybody followed it
	Bytes               int
}

// Fields compares the session as it was found with what it was in the end.
func (p *Panel) Fields() []Field {
	before, after := p.Found, p.After
	if p.Change == Unchanged {
		after = before
	}
	keys := [2]string{p.Ticket.Hook + "…", p.Ticket.Hook + "…"}
	if p.Change == Began || p.Change == Moved {
		keys[1] = p.Given.Hook + "…"
	}
	fields := []Field{{Name: "key", Bytes: 32}, {Name: "handle", Bytes: 12}, {Name: "user_id"}, {Name: "cart_id"}, {Name: "created_at", Bytes: 8}, {Name: "idle_until", Bytes: 8}, {Name: "until", Bytes: 8}}
	old, new := before.values(keys[0]), after.values(keys[1])
	for i := range fields {
		fields[i].Before, fields[i].After = old[i], new[i]
	}
	for _, c := range []*Coat{before, after} {
		if c != nil && c.UserID != 0 {
			fields[2].Bytes = 8
		}
		if c != nil && c.CartID != 0 {
			fields[3].Bytes = 8
		}
	}
	if p.Led != nil && after != nil {
		if after.UserID != 0 {
			fields[2].LeadsTo = p.Led.User
		}
		if after.CartID != 0 {
			fields[3].LeadsTo = count(int64(p.Led.Items), "item")
		}
	}
	return fields
}

// values are those of the columns of the table sessions; there are none in a
// session that is not there.
func (c *Coat) values(key string) [7]string {
	if c == nil {
		return [7]string{"–", "–", "–", "–", "–", "–", "–"}
	}
	return [7]string{key, c.Handle, number(c.UserID), number(c.CartID), moment(c.CreatedAt), moment(c.IdleUntil), moment(c.Until)}
}

func number(reference int64) string {
	if reference == 0 {
		return "–"
	}
	return strconv.FormatInt(reference, 10)
}

func moment(t time.Time) string { return t.UTC().Format("2 Jan 15:04:05.000") }

// Nothing says why no ticket went back.
func (p *Panel) Nothing() string {
	for _, c := range p.Cookies {
		if c.Session {
			return ""
		}
	}
	switch p.Ticket.State {
	case sessions.TicketLive.String():
		return "No ticket: the one you hold is still good, so there is nothing to send."
	case sessions.TicketNone.String():
		return "No ticket: there is nothing to remember of you, so there is no session."
	case sessions.TicketUnknown.String():
		return "No ticket. The one that came opens nothing, and is left alone: your browser may be about to get a newer one, which must not be taken away."
	case "":
		if p.turnedAway() {
			return "No ticket: whoever does not look at one does not take it away, either."
		}
		return "No ticket: a coat room that cannot be asked signs nobody out."
	}
	return "No ticket: what came opens nothing, and is left alone."
}

// Flag is a part of a Set-Cookie line, and what it is for.
type Flag struct{ Name, Means string }

// Flags takes the line apart.
func (c Cookie) Flags() (all []Flag) {
	name, rest, _ := strings.Cut(c.Line, "=")
	_, flags, _ := strings.Cut(rest, ";")
	set, err := http.ParseSetCookie(name + "=;" + flags)
	if err != nil {
		return nil // the shop sets none like that
	}
	add := func(name, means string) { all = append(all, Flag{name, means}) }
	switch {
	case set.MaxAge < 0:
		add("Max-Age=0", "The browser drops it now. What makes it worthless is that the session is gone from the store.")
	case set.MaxAge > 0:
		add(fmt.Sprintf("Max-Age=%d", set.MaxAge), "The browser keeps it for "+length(time.Duration(set.MaxAge)*time.Second)+", also when it is closed.")
	default:
		add("no Max-Age", "The browser drops it when it is closed. The session's own deadlines are the server's.")
	}
	if set.HttpOnly {
		add("HttpOnly", "No script can read it, so none that was slipped into a page can steal it.")
	} else {
		add("no HttpOnly", "Scripts can read it.")
	}
	if set.Secure {
		add("Secure", "It travels by HTTPS alone, where nobody can listen.")
	} else {
		add("no Secure", "This shop is on plain http, as on your own computer. Over HTTPS the flag is set.")
	}
	if set.SameSite == http.SameSiteLaxMode {
		add("SameSite=Lax", "Forms of other sites come without it; following a link from there brings it along.")
	} else {
		add("no SameSite=Lax", "Forms of other sites may bring it along.")
	}
	add("Path="+set.Path, "It goes with every address of the shop.")
	if set.Domain == "" {
		add("no Domain", "It goes back to this host alone, and to none of its neighbours.")
	} else {
		add("Domain="+set.Domain, "It goes to that host and all below it.")
	}
	return all
}
