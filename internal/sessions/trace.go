package sessions

import (
	"context"
	"net/http"
	"time"
)

// Trace is told what the package does in a request, the way
// [net/http/httptrace] is told what a client does. Logs, metrics and pages
// that show sessions at work listen here; handlers know nothing of it. Each
// function gets the request's context, so one Trace can listen to all requests.
// Any function may be nil.
type Trace struct {
	// Found is called with the session that a ticket led to, as it was stored,
	// whether or not it still counts.
	Found func(ctx context.Context, s Session)
	// Ticket is called once a request, with what became of its ticket, and
	// with the session if that is live.
	Ticket func(ctx context.Context, t Ticket, s Session)
	// StoreStart is called before each call on the store, which is named in
	// one word, and Store after it, with how long it took and how it went.
	StoreStart func(ctx context.Context, call string)
	Store      func(ctx context.Context, call string, took time.Duration, err error)
	// Asked is called after each round trip of a store to a server of its own,
	// with what it was told. (A store in a database is heard there.)
	Asked func(ctx context.Context, commands []Command, took time.Duration, err error)
	// Began and Moved are called after a session was made, or was left for
	// another one.
	Began func(ctx context.Context, s Session)
	Moved func(ctx context.Context, from, to Session)
	// Ended is called after n sessions have ended, with the event that says
	// why. The event names the session if it was one that was asked for.
	Ended func(ctx context.Context, e Event, n int)
	// Cookie is called for each cookie that is set. Its value is the secret
	// that opens the session: a listener must never pass it on.
	Cookie func(ctx context.Context, c *http.Cookie)
}

// Command is what a store tells a server of its own. No key in it is whole, and
// there is no value.
type Command struct {
	Text  string
	Found int // how many values it found, or put there
}

type traceContextKey struct{}

// traces is a list: each listener knows those that were there before it.
type traces struct {
	trace  *Trace
	before *traces
}

// WithTrace adds listeners to those that ctx has already.
func WithTrace(ctx context.Context, listeners ...*Trace) context.Context {
	all, _ := ctx.Value(traceContextKey{}).(*traces)
	for _, t := range listeners {
		all = &traces{t, all}
	}
	return context.WithValue(ctx, traceContextKey{}, all)
}

func trace(ctx context.Context, tell func(*Trace)) {
	t, _ := ctx.Value(traceContextKey{}).(*traces)
	for ; t != nil; t = t.before {
		tell(t.trace)
	}
}

// TraceAsked is for stores, to call Asked.
func TraceAsked(ctx context.Context, commands []Command, took time.Duration, err error) {
	trace(ctx, func(t *Trace) {
		if t.Asked != nil {
			t.Asked(ctx, commands, took, err)
		}
	})
}

// tracingStore starts the watch on a call on the store; the function that it
// returns stops it.
func tracingStore(ctx context.Context, call string) (finish func(error)) {
	trace(ctx, func(t *Trace) {
		if t.StoreStart != nil {
			t.StoreStart(ctx, call)
		}
	})
	start := time.Now()
	return func(err error) {
		took := time.Since(start)
		trace(ctx, func(t *Trace) {
			if t.Store != nil {
				t.Store(ctx, call, took, err)
			}
		})
	}
}

func traceEnd(ctx context.Context, e Event, n int) {
	trace(ctx, func(t *Trace) {
		if t.Ended != nil {
			t.Ended(ctx, e, n)
		}
	})
}
