package sessionstest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/internal/sessions"
)

// The core of the suite. A killer is a call that ends a session; a bystander
// is one that must not bring it back, however late it arrives. Each killer
// meets each bystander, and each killer meets each killer, many times over,
// and whatever order chance makes of their steps, dead stays dead.
//
// Rounds and calls bound the tests, not time, so that a slow machine tests as
// much. A bystander's patience ends because a sweep may pass over a session for
// as long as it is being touched.
const (
	rounds     = 25
	bystanders = 4
	patience   = 20 // calls
)

func races() (tests []test) {
	for i, k := range killers {
		tests = append(tests, test{"DeadStaysDeadAfter" + k.name, func(r room) {
			for _, b := range bystanderCalls {
				r.race("Meets"+b.name, func(r room) { r.meet(k, b.call) })
			}
			for _, other := range killers[i:] {
				r.race("Meets"+other.name, func(r room) { r.clash(k, other) })
			}
		}})
	}
	return tests
}

func (r room) race(name string, once func(r room)) {
	r.Run(name, func(t *testing.T) {
		for range rounds {
			once(room{t, t.Context(), r.store})
		}
	})
}

// victim is a session about to die. Its absolute deadline has come, so that a
// sweep may take it whatever its idle deadline is.
type victim struct {
	filed
	// heirs are where moves move it: the same user's, and not expired.
	heirs [2]filed
}

var lastUser atomic.Int64

func (r room) victim() victim {
	r.Helper()
	user := sessions.Refs{UserID: lastUser.Add(1)}
	v := victim{filed: newSession(user)}
	v.Until = sweepAt
	r.create(v.filed)
	for i := range v.heirs {
		v.heirs[i] = newSession(user)
		v.heirs[i].IdleUntil = sweepAt.Add(time.Minute)
	}
	return v
}

// sweepAt is the victims' absolute deadline, and when sweeps come for them.
var sweepAt = now.Add(time.Hour)

type killer struct {
	name string
	// kill ends the victim and says how many sessions it ended. The heir is
	// for those who move.
	kill func(ctx context.Context, st sessions.Store, v victim, heir filed) (int, error)
}

var killers = []killer{
	{"Delete", func(ctx context.Context, st sessions.Store, v victim, _ filed) (int, error) {
		return oneUnlessGone(st.Delete(ctx, v.key, happened))
	}},
	{"Move", func(ctx context.Context, st sessions.Store, v victim, heir filed) (int, error) {
		return oneUnlessGone(st.Move(ctx, v.key, heir.key, heir.Session, happened))
	}},
	{"DeleteHandle", func(ctx context.Context, st sessions.Store, v victim, _ filed) (int, error) {
		return oneUnlessGone(st.DeleteHandle(ctx, v.UserID, v.Handle, happened))
	}},
	{"DeleteByUser", func(ctx context.Context, st sessions.Store, v victim, _ filed) (int, error) {
		return st.DeleteByUser(ctx, v.UserID, sessions.Key{}, happened)
	}},
	{"Sweep", func(ctx context.Context, st sessions.Store, v victim, _ filed) (int, error) {
		return st.Sweep(ctx, sweepAt)
	}},
}

func oneUnlessGone(err error) (int, error) {
	if errors.Is(err, sessions.ErrNotFound) {
		return 0, nil
	}
	return 1, err
}

var bystanderCalls = []struct {
	name string
	call func(ctx context.Context, st sessions.Store, k sessions.Key, i int) error
}{
	{"Touch", touchOnce},
	{"Load", loadOnce},
	{"LoadAndTouch", func(ctx context.Context, st sessions.Store, k sessions.Key, i int) error {
		if i%2 == 0 {
			return loadOnce(ctx, st, k, i)
		}
		return touchOnce(ctx, st, k, i)
	}},
}

func loadOnce(ctx context.Context, st sessions.Store, k sessions.Key, _ int) error {
	_, err := st.Load(ctx, k)
	return err
}

func touchOnce(ctx context.Context, st sessions.Store, k sessions.Key, i int) error {
	return st.Touch(ctx, k, now.Add(idle+time.Duration(i)*time.Second))
}

// meet kills a session while bystanders hammer on it.
func (r room) meet(k killer, call func(context.Context, sessions.Store, sessions.Key, int) error) {
	v := r.victim()
	var (
		dead     = make(chan struct{}) // closed when the killer has returned
		everyone sync.WaitGroup
		underWay sync.WaitGroup
	)
	underWay.Add(bystanders)
	for range bystanders {
		everyone.Go(func() {
			gone := false
			for i, after := 0, 0; after < 3; i++ {
				if i >= patience {
					<-dead
				}
				select {
				case <-dead: // so this call begins after the death
					after++
				default:
				}
				err := call(r.ctx, r.store, v.key, i)
				switch {
				case err == nil && after > 0:
					r.Errorf("a call that began after the session's death found it")
				case err == nil && gone:
					r.Errorf("a session that was gone came back")
				case err != nil:
					r.wantNotFound("bystander", err)
					gone = true
				}
				if i == 0 {
					underWay.Done()
				}
				runtime.Gosched() // a store in memory blocks on nothing: let the killer in
			}
		})
	}
	underWay.Wait()
	r.killSurely(k, v)
	close(dead)
	everyone.Wait()

	r.findsNot(v.filed)
	r.wantNotFound("Touch", r.store.Touch(r.ctx, v.key, v.Until))
	if k.name == "Move" {
		r.finds(v.heirs[0]) // as it was filed: nothing meant for the old one has reached it
		r.lists(v.UserID, v.heirs[0])
		return
	}
	r.lists(v.UserID)
}

// killSurely kills until it is done: a sweep may pass over a session that is
// being touched, and get it the next time.
func (r room) killSurely(k killer, v victim) {
	for range 1000 {
		killed, err := k.kill(r.ctx, r.store, v, v.heirs[0])
		if err != nil {
			r.Errorf("%s: %v", k.name, err)
		}
		if killed != 0 || err != nil {
			return
		}
		if k.name != "Sweep" {
			break
		}
	}
	r.Errorf("%s did not find its victim", k.name)
}

// clash lets two killers loose on one session.
func (r room) clash(a, b killer) {
	v := r.victim()
	killers := [2]killer{a, b}
	var killed [2]int
	atOnce(2, func(i int) func() {
		n, err := killers[i].kill(r.ctx, r.store, v, v.heirs[i])
		if err != nil {
			r.Errorf("%s: %v", killers[i].name, err)
		}
		return func() { killed[i] = n }
	})

	r.findsNot(v.filed)
	r.wantNotFound("Touch", r.store.Touch(r.ctx, v.key, v.Until))
	var heirs []filed
	for i, k := range killers {
		if k.name == "Move" && killed[i] == 1 {
			heirs = append(heirs, v.heirs[i])
		}
	}
	if a.name == "DeleteByUser" || b.name == "DeleteByUser" {
		// Whichever came first, none is left: a session that moves while all
		// are being ended is still one of the user's.
		r.lists(v.UserID)
		r.findsNot(v.heirs[:]...)
		return
	}
	if killed[0]+killed[1] != 1 {
		r.Errorf("%s says that it killed %d, %s %d", a.name, killed[0], b.name, killed[1])
	}
	r.finds(heirs...)
	r.lists(v.UserID, heirs...) // so never two
}
