// Package xray shows what one request did with its session: the ticket that
// came, what was looked up, what was found, and what went back.
//
// Nothing of it is made up. A [Recorder] listens to internal/sessions by its
// trace, and to the database by a [Tracer], while a request is answered; what
// it heard is an [Exchange]. It is for demonstrations: without a Recorder
// nothing listens, and nothing is spent on it.
//
// An Exchange never holds a whole ID, nor what was sent in a form or put into
// a statement: of an ID it keeps six characters, and of a statement its text,
// in which every value is a placeholder such as $1.
package xray

import (
	"time"

	"coatcheck/internal/sessions"
)

// Exchange is a request and its answer, as far as the session goes.
type Exchange struct {
	Number int // counts the exchanges of one server
	At     time.Time
	Took   time.Duration // until the answer was ready
	Method string
	Path   string // without the query
	Status int    // 0 while the answer is being made

	Ticket  Ticket   // what came
	Room    []Visit  // what was asked of the coat room, and of the shop's other tables, in this order
	InTable bool     // sessions are rows of the table sessions
	Found   *Coat    // the session that the ticket led to, as it was stored; nil for none
	After   *Coat    // the session that the request ended with; nil for none
	Change  Change   // what became of the session
	Why     string   // it ended: one of the kinds of sessions.Event
	Led     *Led     // what its references led to; nil if this request did not ask
	Cookies []Cookie // what went back
	Given   Ticket   // the new ticket, if one was among it
}

// Ticket is the session's cookie, as a request brought it.
type Ticket struct {
	State string // what became of it: one of the names of sessions.Ticket, or empty if the store could not be asked
	Start string // the first six characters of the ID; empty if none came, or several
	Hook  string // the first six hex digits of its SHA-256, under which the coat hangs
}

// Visit is one round trip to where something is kept.
type Visit struct {
	// Call is what the session asked its store for, in one word; empty for
	// what the shop asked for itself.
	Call       string
	Took       time.Duration
	Outcome    string // empty if it went well: "not found" or "failed"
	Statements []Statement
}

// Statement is what a store or a database was told, as it was sent. Values
// are not part of it.
type Statement struct {
	Text string
	Rows int64 // how many were found, or written; values, if it is about keys
	Keys bool  // it was told to a store of keys and values, not to a database
}

// Coat is a session as it is stored.
type Coat struct {
	Handle                      string
	UserID, CartID              int64
	CreatedAt, IdleUntil, Until time.Time
	Idle                        time.Duration // how long it lasts without requests, at most
}

// Bytes is how much room the values of a session take in the table: key 32,
// handle 12, and 8 for each number and time that is there.
func (c *Coat) Bytes() int {
	n := 32 + len(c.Handle) + 3*8
	if c.UserID != 0 {
		n += 8
	}
	if c.CartID != 0 {
		n += 8
	}
	return n
}

// Change is what became of a session in an exchange.
type Change string

// A session begins, moves to a new ID, is touched, which moves its idle
// deadline, or ends. Mostly nothing of that happens.
const (
	Unchanged Change = ""
	Began     Change = "began"
	Moved     Change = "moved"
	Touched   Change = "touched"
	Ended     Change = "ended"
)

// Led is what the references of a session led to.
type Led struct {
	User  string // the user's name; empty for a guest
	Items int    // pieces in the cart
}

// Cookie is a Set-Cookie line.
type Cookie struct {
	Line    string // as it was sent, but of an ID only the first six characters
	Session bool   // it is the ticket
}

// short is what is shown of an ID.
func short(id string) string { return id[:min(len(id), shown)] }

const shown = 6

// is tells whether the handle names it.
func (c *Coat) is(handle string) bool { return c != nil && c.Handle == handle }

func coat(s sessions.Session, p sessions.Policy) *Coat {
	return &Coat{s.Handle, s.UserID, s.CartID, s.CreatedAt, s.IdleUntil, s.Until, p.Idle + p.Slack()}
}
