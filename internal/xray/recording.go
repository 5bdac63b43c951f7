package xray

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"coatcheck/internal/sessions"
)

// Recording listens to one request while it is answered. A nil Recording is
// that of a request that nobody listens to: it takes everything and keeps
// nothing.
type Recording struct {
	recorder *Recorder
	previous *Exchange // what the answer before this one has left behind
	ended    *Timeline // of the session that ended there

	mu     sync.Mutex
	seen   Exchange
	start  time.Time
	call   string // what the session is asking its store for
	visits int    // how many there were when it began to ask
	began  time.Time
	next   int // the statement of the last visit that is answered next
	header http.Header
}

type recordingContextKey struct{}

// From gives the recording of the request that ctx belongs to, or nil.
func From(ctx context.Context) *Recording {
	r, _ := ctx.Value(recordingContextKey{}).(*Recording)
	return r
}

// Led notes what the session's references led to: whoever looks them up for a
// page says so.
func (r *Recording) Led(user string, items int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.Led = &Led{user, items}
}

// Exchange is what has happened so far, also to a page that shows it while it
// is being made.
func (r *Recording) Exchange() *Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.seen
	e.Took = time.Since(r.start)
	e.Cookies = r.cookies()
	return &e
}

// Panel is the exchange so far, for a page to show.
func (r *Recording) Panel() *Panel { return NewPanel(r.Exchange(), r.recorder.Now()) }

// Previous is the exchange before this one, if that has ended the session: the
// page after it is the only one that can show it. It is nil otherwise.
func (r *Recording) Previous() *Panel {
	if r == nil || r.previous == nil {
		return nil
	}
	return NewPanel(r.previous, r.recorder.Now())
}

// Bury draws the life of the session that Previous has ended, from what is on
// record of it.
func (r *Recording) Bury(events []sessions.Event) {
	r.ended = NewTimeline(events, nil, r.recorder.Recent(r.previous.Found.Handle))
}

// Timeline is what Bury has drawn.
func (r *Recording) Timeline() *Timeline { return r.ended }

// Recent lists the last exchanges of the session that the request ended with,
// the newest first, without this one.
func (r *Recording) Recent() Exchanges {
	r.mu.Lock()
	after := r.seen.After
	r.mu.Unlock()
	if after == nil {
		return nil
	}
	return r.recorder.Recent(after.Handle)
}

// trace listens to the sessions of all requests, and notes what it hears in
// the recording of each.
func (rec *Recorder) trace() *sessions.Trace {
	locked := func(ctx context.Context) *Recording {
		r := From(ctx)
		r.mu.Lock()
		return r
	}
	coat := func(s sessions.Session) *Coat { return coat(s, rec.Policy(s)) }
	return &sessions.Trace{
		StoreStart: func(ctx context.Context, call string) {
			r := locked(ctx)
			defer r.mu.Unlock()
			r.call, r.visits = call, len(r.seen.Room)
		},
		Store: func(ctx context.Context, call string, took time.Duration, err error) {
			r := locked(ctx)
			defer r.mu.Unlock()
			r.stored(call, took, err)
		},
		Asked: func(ctx context.Context, commands []sessions.Command, took time.Duration, err error) {
			r := locked(ctx)
			defer r.mu.Unlock()
			v := Visit{Call: r.call, Took: took}
			for _, c := range commands {
				v.Statements = append(v.Statements, Statement{Text: c.Text, Rows: int64(c.Found), Keys: true})
			}
			if err != nil {
				v.Outcome = "failed"
			}
			r.seen.Room = append(r.seen.Room, v)
		},
		Found: func(ctx context.Context, s sessions.Session) {
			r := locked(ctx)
			defer r.mu.Unlock()
			r.seen.Found = coat(s)
		},
		Ticket: func(ctx context.Context, t sessions.Ticket, s sessions.Session) {
			r := locked(ctx)
			defer r.mu.Unlock()
			r.seen.Ticket.State = t.String()
			if t == sessions.TicketLive {
				r.seen.After = coat(s)
			}
		},
		Cookie: func(ctx context.Context, c *http.Cookie) {
			r := locked(ctx)
			defer r.mu.Unlock()
			// One that drops the ticket gives none, and takes back what was given.
			r.seen.Given = cutTicket(c.Value)
		},
		Began: func(ctx context.Context, s sessions.Session) {
			r := locked(ctx)
			defer r.mu.Unlock()
			r.seen.Change, r.seen.After = Began, coat(s)
		},
		Moved: func(ctx context.Context, _, to sessions.Session) {
			r := locked(ctx)
			defer r.mu.Unlock()
			r.seen.Change, r.seen.After = Moved, coat(to)
		},
		Ended: func(ctx context.Context, e sessions.Event, _ int) {
			r := locked(ctx)
			defer r.mu.Unlock()
			if r.seen.Found.is(e.Session) || r.seen.After.is(e.Session) { // not one that it has ended elsewhere
				r.seen.Change, r.seen.Why, r.seen.After = Ended, string(e.Kind), nil
			}
		},
	}
}

// stored ends a call of the session on its store. What the store sent
// meanwhile is on record already; of one that sends nothing, because it is
// memory, the call itself is what there is to see.
func (r *Recording) stored(call string, took time.Duration, err error) {
	r.call = ""
	if len(r.seen.Room) == r.visits {
		r.seen.Room = append(r.seen.Room, Visit{Call: call, Took: took})
	}
	last := &r.seen.Room[len(r.seen.Room)-1]
	switch {
	case errors.Is(err, sessions.ErrNotFound):
		last.Outcome = "not found"
	case err != nil:
		last.Outcome = "failed"
	case call == "touch":
		r.seen.Change = Touched
	}
}

// cookies are those that the answer sets so far.
func (r *Recording) cookies() []Cookie {
	var all []Cookie
	for _, line := range r.header["Set-Cookie"] {
		name, rest, _ := strings.Cut(line, "=")
		value, flags, _ := strings.Cut(rest, ";")
		if len(value) > longest {
			line = name + "=" + short(value) + "…;" + flags
		}
		all = append(all, Cookie{Line: line, Session: name == r.recorder.ticket()})
	}
	return all
}

// ticketOf looks at what the request brought. Whether it counts the session
// says, when it has looked it up; if it cannot, nobody knows.
func (rec *Recorder) ticketOf(r *http.Request) Ticket {
	sent := r.CookiesNamed(rec.ticket())
	if len(sent) != 1 {
		return Ticket{}
	}
	return cutTicket(sent[0].Value)
}

// cutTicket is what is shown of a ticket, and of its hash.
func cutTicket(id string) Ticket {
	if id == "" {
		return Ticket{}
	}
	hash := sha256.Sum256([]byte(id))
	return Ticket{Start: short(id), Hook: hex.EncodeToString(hash[:shown/2])}
}

// longest is how long a cookie's value is that says something, such as the code
// of a message. A longer one is a secret.
const longest = 16

// cutPath shortens what no address of the shop has in it, such as an ID that
// somebody has put there, and what is longer than any of them.
func cutPath(path string) string {
	const most = 160
	if len(path) <= longestPart {
		return valid(path)
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = cut(part)
	}
	path = strings.Join(parts, "/")
	if len(path) > most {
		path = valid(path[:most]) + "…"
	}
	return path
}

// longestPart is how long a part of an address of the shop may be. An ID is
// longer.
const longestPart = 40

// cut shortens what may be an ID: a part of a path, or a method.
func cut(part string) string {
	if len(part) > longestPart {
		part = short(part) + "…"
	}
	return valid(part)
}

// valid leaves out what is no UTF-8, such as the half of a letter.
func valid(s string) string { return strings.ToValidUTF8(s, "") }
