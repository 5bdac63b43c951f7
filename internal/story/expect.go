package story

import (
	"fmt"
	"strings"

	"coatcheck/internal/sessions"
	"coatcheck/internal/xray"
)

// Outcome is one expectation, and what came of it.
type Outcome struct {
	Want   string
	Held   bool
	Unseen bool   // there was no X-ray to see it by
	Got    string // what came instead, if it did not hold
}

// Failed says that something else came.
func (o Outcome) Failed() bool { return !o.Held && !o.Unseen }

// check compares an answer with what must come back.
func (e Expect) check(x *Exchange, page string, remembered int) (all []Outcome) {
	compare := func(want string, held bool, got string) {
		all = append(all, Outcome{Want: want, Held: held, Got: got})
	}
	if e.Status != 0 {
		compare(fmt.Sprintf("the status is %d", e.Status), x.Status == e.Status, fmt.Sprintf("it is %d", x.Status))
	}
	if e.Location != "" {
		compare("it leads to "+e.Location, leads(x.Location, e.Location), "it leads to "+orNothing(x.Location))
	}
	if e.SignedIn != "" {
		got := mark(page, nameMark)
		if got == "" {
			got = Nobody
		}
		compare("the page greets "+e.SignedIn, got == e.SignedIn, "it greets "+got)
	}
	if e.Cart != nil {
		got := mark(page, cartMark)
		compare(e.Cart.wants(remembered), e.Cart.holds(got, remembered), "it counts "+orNothing(got))
	}
	if e.Says != "" {
		compare(fmt.Sprintf("the page says %q", e.Says), strings.Contains(page, e.Says), "it does not")
	}
	if e.Ticket != "" {
		compare(ticketWords[e.Ticket], x.Did == e.Ticket, orNothing(ticketWords[x.Did]))
	}
	if e.XRay != nil {
		all = append(all, e.XRay.check(x.XRay)...)
	}
	return all
}

func (e XRay) check(x *xray.Exchange) []Outcome {
	ticket := Outcome{Want: "the X-ray says of the ticket: " + cameWords[e.Ticket]}
	change := Outcome{Want: "the X-ray says: " + changeWords[e.Change]}
	if x == nil {
		ticket.Unseen, change.Unseen = true, true
		return []Outcome{ticket, change}
	}
	ticket.Held, ticket.Got = x.Ticket.State == e.Ticket.String(), "it says "+orNothing(x.Ticket.State)
	change.Held, change.Got = x.Change == e.Change, changeWords[x.Change]
	if e.Change == xray.Unchanged && x.Change == xray.Touched {
		change.Held = true
	}
	return []Outcome{ticket, change}
}

func leads(location, want string) bool {
	if start, ok := strings.CutSuffix(want, "…"); ok {
		return strings.HasPrefix(location, start) && location != start
	}
	return location == want
}

// wants puts the expectation into words.
func (c *Cart) wants(remembered int) string {
	switch {
	case c.AsBefore:
		return fmt.Sprintf("the page counts as many pieces in the cart as before, which is %d", remembered)
	case c.OrMore:
		return fmt.Sprintf("the page counts %d pieces in the cart, or more", c.Pieces)
	}
	return fmt.Sprintf("the page counts %d pieces in the cart", c.Pieces)
}

func (c *Cart) holds(got string, remembered int) bool {
	n, ok := digits(got)
	switch {
	case !ok:
		return false
	case c.AsBefore:
		return n == remembered
	case c.OrMore:
		return n >= c.Pieces
	}
	return n == c.Pieces
}

var ticketWords = map[Ticket]string{
	NoTicket:      "no ticket came, and none goes back",
	NewTicket:     "a new ticket goes back",
	SameTicket:    "no ticket goes back, and the one at hand stays",
	DroppedTicket: "the browser is told to drop its ticket",
}

var cameWords = map[sessions.Ticket]string{
	sessions.TicketNone:    "there was none",
	sessions.TicketUnknown: "it has the right shape, and no session belongs to it",
	sessions.TicketLive:    "its session was found, and counts",
}

var changeWords = map[xray.Change]string{
	xray.Unchanged: "no session began, moved or ended",
	xray.Began:     "a session began",
	xray.Moved:     "the session moved to a new ID",
	xray.Touched:   "the session's idle clock was set back",
	xray.Ended:     "the session ended",
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
