package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"coatcheck/internal/auth"
)

// DefaultPatience is how long a page may take. A database or a session store
// that does not answer must not keep a visitor, and a connection, waiting: within
// two seconds each page is answered, if only with 503.
//
// What is not theirs does not count: that a form arrives slowly, and that a
// password is hashed and waits for its turn (about two seconds at most, see
// auth.BusyError; to change a password takes two turns). A place that is slow
// hashes a dozen passwords, one after the other.
const (
	DefaultPatience      = 1400 * time.Millisecond
	patienceWithPassword = 15 * time.Second
	patienceWithPlace    = 25 * time.Second

	// What has begun may be finished, and to end everybody's sessions takes as
	// long as there are some.
	patienceToFinish      = 200 * time.Millisecond
	patienceWithEverybody = 10 * time.Second
)

// errLate is why a request's context has ended when its patience has.
var errLate = errors.New("it took too long")

// clock says how much of a request's patience is left.
type clock struct {
	timer *time.Timer
	ends  time.Time
}

type clockContextKey struct{}

// stop lets the clock stand still until start is called. If the time is over
// already, it stays over.
func (c *clock) stop() (start func()) {
	if c == nil || !c.timer.Stop() {
		return func() {}
	}
	left := time.Until(c.ends)
	return func() {
		c.ends = time.Now().Add(left)
		c.timer.Reset(left)
	}
}

// clockOf gives the clock of a request; nil if it has none.
func clockOf(ctx context.Context) *clock {
	c, _ := ctx.Value(clockContextKey{}).(*clock)
	return c
}

// hurry ends what a request has begun when its patience is over.
func hurry(patience time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancelCause(r.Context())
			defer cancel(nil)
			c := &clock{ends: time.Now().Add(patience)}
			c.timer = time.AfterFunc(patience, func() { cancel(errLate) })
			defer c.timer.Stop()
			next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, clockContextKey{}, c)))
		})
	}
}

// notWhileHashing lets the clock stand still where a password is hashed.
func notWhileHashing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(auth.WhileHashing(r.Context(), clockOf(r.Context()).stop)))
	})
}

func timeLimit(limit time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), limit)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// finishing is a request that goes on although its visitor may have left. What
// takes several steps, of which the first has been done for good, must not stop
// in the middle because somebody has closed a window. It has what is left of
// its patience, and a moment at least.
func finishing(r *http.Request) (*http.Request, context.CancelFunc) {
	left := patienceToFinish
	if c := clockOf(r.Context()); c != nil {
		left = max(left, time.Until(c.ends))
	}
	return finishingWithin(r, left)
}

func finishingWithin(r *http.Request, limit time.Duration) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), limit)
	return r.WithContext(ctx), cancel
}
