package story

import (
	"net/http"
	"strings"
	"time"

	"coatcheck/internal/xray"
)

// Transcript is a story as it was played.
type Transcript struct {
	Story  *Story
	At     time.Time
	Took   time.Duration
	Played []Played // one for each step, unless the story has stopped
	// Stopped says why the story ends before its last step.
	Stopped string
}

// Held says that all that could be seen was as expected. A story that has
// stopped did so because something was not.
func (t *Transcript) Held() bool { return t.Failed() == 0 }

// Failed counts the expectations that did not hold.
func (t *Transcript) Failed() (n int) {
	for _, p := range t.Played {
		for _, o := range p.Outcomes {
			if o.Failed() {
				n++
			}
		}
	}
	return n
}

// Checked counts the expectations that were compared with what came.
func (t *Transcript) Checked() (n int) {
	for _, p := range t.Played {
		for _, o := range p.Outcomes {
			if !o.Unseen {
				n++
			}
		}
	}
	return n
}

// Blind says that the servers gave no X-rays where there should have been
// some: they are not in demo mode.
func (t *Transcript) Blind() bool {
	for _, p := range t.Played {
		for _, o := range p.Outcomes {
			if o.Unseen {
				return true
			}
		}
	}
	return false
}

// Played is a step, and what came of it.
type Played struct {
	Step
	Number int
	Server string // that was asked
	// Limit says what cannot be shown in this world.
	Limit    string
	Exchange *Exchange // nil if nothing was asked
	Outcomes []Outcome
}

// Held says that all went as expected, as far as it could be seen.
func (p Played) Held() bool {
	for _, o := range p.Outcomes {
		if o.Failed() {
			return false
		}
	}
	return true
}

// Exchange is a request and its answer. Of the ticket it has six characters.
type Exchange struct {
	Method, Path string
	Form         []Field // without secrets
	Sent         string  // the start of the ticket that went along; empty for none
	Given        string  // the start of the new ticket that came back; empty for none
	Status       int
	Location     string
	Cookies      []string // the Set-Cookie lines
	Did          Ticket   // what the answer did to the ticket
	Took         time.Duration
	XRay         *xray.Exchange // nil if none came
}

// shown is how much of an ID is shown. A value that is longer than longest is
// taken for a secret as well.
const (
	shown   = 6
	longest = 16
)

func cut(secret string) string {
	if secret == "" {
		return ""
	}
	return secret[:min(len(secret), shown)] + "…"
}

// cookieLine is a Set-Cookie line without its secret.
func cookieLine(line string) string {
	pair, flags, more := strings.Cut(line, ";")
	name, value, _ := strings.Cut(pair, "=")
	if isTicket(name) || len(value) > longest {
		value = cut(value)
	}
	if more {
		flags = ";" + flags
	}
	return name + "=" + value + flags
}

// Phrase is the status in words.
func (x *Exchange) Phrase() string { return http.StatusText(x.Status) }
