package xray

import (
	"time"

	"coatcheck/internal/sessions"
)

// Timeline is the life of a visitor's session: one ticket after the other,
// each but the last one torn.
type Timeline struct {
	Tickets []Life
	Over    bool // the last one has ended, too
	// Until when it lasts otherwise: without another visit, and in any case.
	IdleUntil, Until time.Time
}

// Life is what happened to one ticket of the chain.
type Life struct {
	Handle  string
	User    int64 // whose it was; zero for a guest
	Torn    bool  // another one took its place
	Moments []Moment
}

// Moment is something that happened.
type Moment struct {
	At   time.Time
	What Change
	Kind sessions.Kind // of the event on record; empty for a touch
}

// NewTimeline draws it from what is on record about a chain of sessions, the
// oldest event first, and adds the touches, which are on no record, as far as
// this server remembers them. The last session of the chain may be nil: it has
// ended.
func NewTimeline(events []sessions.Event, last *sessions.Session, exchanges Exchanges) *Timeline {
	t := &Timeline{Over: last == nil}
	if last != nil {
		t.IdleUntil, t.Until = last.IdleUntil, last.Until
	}
	for _, e := range events {
		for i := range t.Tickets {
			if t.Tickets[i].Handle == e.Previous {
				t.Tickets[i].Torn = true
			}
		}
		life := t.life(e.Session)
		switch e.Kind {
		case sessions.Made, sessions.SignedIn, sessions.Moved:
			life.User = e.UserID
			life.Moments = append(life.Moments, Moment{e.At, Began, e.Kind})
		case sessions.SignedOut, sessions.IdledOut, sessions.LivedOut, sessions.Revoked, sessions.CrowdedOut:
			life.Moments = append(life.Moments, Moment{e.At, Ended, e.Kind})
		default: // such as a changed password
			life.Moments = append(life.Moments, Moment{e.At, Unchanged, e.Kind})
		}
	}
	for _, e := range exchanges {
		if e.Change == Touched {
			t.life(e.After.Handle).touch(e.At)
		}
	}
	return t
}

// life finds a ticket of the chain, or adds it at the end.
func (t *Timeline) life(handle string) *Life {
	for i := range t.Tickets {
		if t.Tickets[i].Handle == handle {
			return &t.Tickets[i]
		}
	}
	t.Tickets = append(t.Tickets, Life{Handle: handle})
	return &t.Tickets[len(t.Tickets)-1]
}

// touch puts a touch where it belongs in time.
func (l *Life) touch(at time.Time) {
	i := len(l.Moments)
	for i > 0 && l.Moments[i-1].At.After(at) {
		i--
	}
	l.Moments = append(l.Moments[:i], append([]Moment{{At: at, What: Touched}}, l.Moments[i:]...)...)
}

// Says puts it into words.
func (m Moment) Says() string {
	if m.What == Touched {
		return "Used, and its idle deadline set back."
	}
	if says := kinds[m.Kind]; says != "" {
		return says
	}
	return "On record: " + string(m.Kind) + "."
}

var kinds = map[sessions.Kind]string{
	sessions.Made:       "Issued: there was something worth remembering.",
	sessions.SignedIn:   "Issued at the sign-in.",
	sessions.Moved:      "Issued in place of the one before, for the same visitor.",
	sessions.SignedOut:  "Ended by signing out.",
	sessions.IdledOut:   "Ended: nobody had come for too long.",
	sessions.LivedOut:   "Ended: its longest life was over.",
	sessions.Revoked:    "Ended from elsewhere.",
	sessions.CrowdedOut: "Ended, because there were too many.",
}
