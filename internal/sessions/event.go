package sessions

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Kind says what happened to a session.
type Kind string

const (
	Made       Kind = "made"       // a guest had something worth remembering
	SignedIn   Kind = "signed in"  // a guest's session, if there was one, has moved
	Moved      Kind = "moved"      // the same visitor under a new ID: other references, or the password given again
	SignedOut  Kind = "signed out" // the visitor ended it
	IdledOut   Kind = "idle timeout"
	LivedOut   Kind = "absolute timeout"
	Revoked    Kind = "revoked"     // ended from another session, or by whoever runs the shop
	CrowdedOut Kind = "crowded out" // the user's oldest, when there were too many
)

// Event is a line in the record of what happened to sessions. The record
// outlives them: it is where a visitor sees who was signed in to the account,
// from where, and who ended it. It has handles, never an ID or its hash.
type Event struct {
	At       time.Time
	Kind     Kind
	Session  string // the handle of the session it happened to
	Previous string // the handle of the session that this one has taken the place of
	UserID   int64  // whose it is; zero for a guest
	By       string // who revoked it: "owner", "administrator 3", "operator"
	// Address and Browser say where the request came from, and are kept for
	// users alone. They stand here so that a session need not hold them.
	Address, Browser string
}

// Of is the event as it happened to a session.
func (e Event) Of(s Session) Event {
	e.Session, e.UserID = s.Handle, s.UserID
	return e
}

// Timeout is the event of a session's end by the deadline that came first.
func (s Session) Timeout() Event {
	return Event{At: s.Ends(), Kind: timeouts[s.Expired(s.Ends())]}.Of(s)
}

// Recorder puts on record what happened to sessions, for a store that lives
// elsewhere than the record does. It is called after the change has been made,
// which is not taken back if the record cannot be written: that is the
// Recorder's to deal with. Nil means that there is no record.
type Recorder func(ctx context.Context, events ...Event)

// Record calls the recorder, if there is one and anything happened.
func (r Recorder) Record(ctx context.Context, events ...Event) {
	if r != nil && len(events) > 0 {
		r(ctx, events...)
	}
}

// event is what a request that makes or ends a user's session is recorded as.
func (m *Manager) event(r *http.Request, k Kind, userID int64) Event {
	e := Event{At: m.clock(), Kind: k, UserID: userID}
	if userID != 0 {
		e.Address, e.Browser = m.address(r), Browser(r)
	}
	return e
}

// Browser is what the browser says of itself, cut to a length that an honest
// one has, and free of anything that a database cannot keep as text.
func Browser(r *http.Request) string {
	const most = 256
	name := r.UserAgent()
	if len(name) > most {
		name = name[:most]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(name, ""), "\x00", "")
}
