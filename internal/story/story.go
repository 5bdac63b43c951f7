// Package story tells how sessions work in HTTP: who asks which server for
// what, what must come back, and why.
//
// A [Story] is written down in plain values; alice.go is the one to read. It
// is played on a [World], which is one or two real servers, in this process or
// in a network. Playing it gives a [Transcript]: what was really asked and
// answered, with the X-ray of each exchange, and whether it was what the story
// says. A transcript never holds a whole session ID, nor a password.
package story

import (
	"coatcheck/internal/sessions"
	"coatcheck/internal/xray"
)

// Story is told in steps.
type Story struct {
	Name  string // in addresses
	Title string
	Intro []string // paragraphs
	Cast  []Actor
	Steps []Step
}

// Actor is somebody with a browser, which keeps the cookies that it is given.
type Actor struct {
	Name string
	Who  string // a sentence
}

// Step is one thing that happens: somebody asks a server for something, or
// carries a ticket, or a server is restarted.
type Step struct {
	Slug  string // names the step in addresses, and never changes
	Title string
	Why   string   // what there is to see, in a sentence
	Who   string   // the actor's name; empty for a restart
	Ask   *Request // one of these three
	Carry *Carry
	// Restart stops the first server and starts another in its place, with
	// nothing carried over but the database.
	Restart bool
	Expect  Expect // of what was asked
	Needed  bool   // what follows makes no sense without it
}

// Anchor names the step's place on a page.
func (s Step) Anchor() string { return "step-" + s.Slug }

// Server is one of the servers that a story may ask.
type Server int

// Both have the same database. Second is told to be the first one, where there
// is but one.
const (
	First Server = iota
	Second
)

// Request is what somebody asks.
type Request struct {
	Server Server
	Method string
	Path   string  // empty: wherever the last answer to this actor has led
	Form   []Field // of a POST
	// Site is the origin of another site whose page sends the form, by the
	// actor's browser and behind the actor's back. A browser says so, and
	// leaves cookies with SameSite=Lax at home.
	Site string
}

// Field is a field of a form.
type Field struct {
	Name, Value string
	Secret      bool // a password: the transcript has it not
	Hidden      bool // its value is that of the page that the actor has got last
}

// Carry puts a ticket into an actor's pocket, where it takes the place of the
// one that was there.
type Carry struct {
	From   string // the actor whose ticket is copied, as it is now
	Ticket string // or else one that was made up
}

// Expect is what must come back. What is left empty may be anything.
type Expect struct {
	Status   int
	Location string // where a redirect leads; with … at its end, whatever begins like that
	SignedIn string // whom the page greets by name
	Cart     *Cart  // what the page counts in the cart
	Says     string // a text on the page
	Ticket   Ticket // what the answer does to the session's cookie
	XRay     *XRay
}

// Nobody is whom a page greets that knows no name.
const Nobody = "nobody"

// Cart is how many pieces a page must count.
type Cart struct {
	Pieces   int
	OrMore   bool // an account may have had some before; how many there are in all is remembered
	AsBefore bool // as many as are remembered
}

// Ticket is what an answer does to the cookie that holds the ticket.
type Ticket string

// These are all that it can do.
const (
	NoTicket      Ticket = "none"      // none came, none goes back
	NewTicket     Ticket = "new"       // one goes back that is not the one that came
	SameTicket    Ticket = "unchanged" // one came, and the answer leaves it alone
	DroppedTicket Ticket = "dropped"   // the browser is told to drop it
)

// XRay is what the shop's own X-ray must say of the exchange.
type XRay struct {
	Ticket sessions.Ticket // what became of the ticket that came
	// Change is what became of the session. Where it says that nothing did,
	// its idle clock may have been set back: the shop does that now and then.
	Change xray.Change
}
