package auth

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"time"
)

// BusyError says that more passwords have come than can be hashed, and that
// this one was not looked at. It is no failed sign-in, and it says nothing of
// the account: the same happens to everybody who comes at that moment.
type BusyError struct{ RetryAfter time.Duration }

func (e *BusyError) Error() string {
	return fmt.Sprintf("too many passwords to hash; try again in %v", e.RetryAfter)
}

// Hashing is pure computing, and whoever sends passwords chooses how much of
// it there is. So only so many are hashed at a time: one core less than there
// are, which keeps the shop answering everybody else. A few more may wait, and
// the others are told at once to come again. To let all of them wait would
// help nobody: once more come than are hashed, the wait only ever grows, until
// people give up just before their turn.
type turns struct {
	in    chan struct{} // one for each caller who has been let in: to hash, or to wait for that
	slots chan struct{} // one for each password that may be hashed at a time
}

const (
	// longestWait is about how long somebody who is let in may have to wait.
	// Nobody minds two seconds much who signs in, and whoever is turned away
	// and comes again after as long finds that all who waited have had their
	// turn.
	longestWait = 2 * time.Second
	hashTime    = 250 * time.Millisecond // at DefaultCost, about
)

func newTurns(cost, waiting int) turns {
	atOnce := max(1, runtime.GOMAXPROCS(0)-1)
	if waiting == 0 {
		waiting = atOnce * queueFor(cost)
	}
	return turns{in: make(chan struct{}, atOnce+waiting), slots: make(chan struct{}, atOnce)}
}

// queueFor is how many may wait for each password that is hashed at a time, so
// that the last of them waits for about longestWait: eight at DefaultCost. With
// each step of the cost a hash takes twice as long.
func queueFor(cost int) int {
	return max(1, int(math.Ldexp(float64(longestWait/hashTime), DefaultCost-cost)))
}

// enter lets a caller in, who leaves at the end, or returns a *BusyError at once
// if too many wait already.
func (t turns) enter() error {
	select {
	case t.in <- struct{}{}:
		return nil
	default:
		return &BusyError{RetryAfter: longestWait}
	}
}

func (t turns) leave() { <-t.in }

// take waits for the turn of a caller who has been let in, in the order in
// which they have come. Whoever has a turn must give it back.
func (t turns) take(ctx context.Context) error {
	defer hashing(ctx)()
	select {
	case t.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turns) giveBack() { <-t.slots }

type hashingContextKey struct{}

// WhileHashing gives a context in which begin is called when a password is
// about to be hashed or to wait for its turn, and what begin returns when that
// is over: it is work, and no sign that the database is slow.
func WhileHashing(ctx context.Context, begin func() (end func())) context.Context {
	return context.WithValue(ctx, hashingContextKey{}, begin)
}

func hashing(ctx context.Context) (end func()) {
	if begin, ok := ctx.Value(hashingContextKey{}).(func() (end func())); ok {
		return begin()
	}
	return func() {}
}
