package sessionstest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/sessions"

	"github.com/anishathalye/porcupine"
)

var historySeed = flag.Uint64("history-seed", 0, "what the calls of a history are drawn by; 0: something new")

const (
	histories = 2000 // each of them a user of its own
	together  = 4    // are made at the same time
	clients   = 4    // of each
	callsEach = 7    // of each client
)

// History tests that the store is linearizable: many clients make calls about
// the same few sessions, and what they are answered must be what a store that
// takes one call at a time could have answered. It makes 56,000 calls.
func History(t *testing.T, st sessions.Store) {
	t.Helper()
	inOrder(t, st, func(ops []porcupine.Operation) porcupine.CheckResult {
		return porcupine.CheckOperationsTimeout(model, ops, time.Minute)
	})
}

// HistoryInSteps is History for a store whose calls that end many sessions may
// end them one by one.
func HistoryInSteps(t *testing.T, st sessions.Store) {
	t.Helper()
	one := stepwise.ToModel()
	inOrder(t, st, func(ops []porcupine.Operation) porcupine.CheckResult {
		return porcupine.CheckOperationsTimeout(one, inSteps(ops), time.Minute)
	})
}

type judgement func([]porcupine.Operation) porcupine.CheckResult

func inOrder(t *testing.T, st sessions.Store, judge judgement) {
	t.Helper()
	seed := *historySeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	start := time.Now()
	tally, err := check(t.Context(), st, seed, judge)
	if err != nil {
		t.Fatalf("%v\n(repeat with -history-seed=%d)", err, seed)
	}
	for _, name := range callNames {
		of := tally[name]
		if of.found < 100 || of.missed < 100 && name != "Create" && name != "ByUser" {
			t.Errorf("%s did something %d times and nothing %d times: too little has met", name, of.found, of.missed)
		}
	}
	t.Logf("%d calls are in order, found out in %v: %s", tally.calls(), time.Since(start).Round(time.Millisecond), tally)
}

var callNames = []string{"Create", "Load", "Touch", "Move", "Delete", "DeleteHandle", "DeleteByUser", "DeleteOldest", "ByUser"}

// tally counts calls by name, those that did or found something and the others.
type tally map[string]struct{ found, missed int }

func (t tally) calls() (n int) {
	for _, of := range t {
		n += of.found + of.missed
	}
	return n
}

func (t tally) String() string {
	var b strings.Builder
	for _, name := range callNames {
		fmt.Fprintf(&b, "%s %d+%d ", name, t[name].found, t[name].missed)
	}
	return strings.TrimSpace(b.String())
}

// check makes histories, and says what is wrong with the first that is not in
// order.
func check(ctx context.Context, st sessions.Store, seed uint64, judge judgement) (tally, error) {
	var (
		mu     sync.Mutex
		wrong  error
		counts = tally{}
		makers sync.WaitGroup
	)
	for maker := range together {
		makers.Go(func() {
			for i := maker; i < histories; i += together {
				h := &history{ctx: ctx, store: st, userID: int64(i + 1), chance: rand.New(rand.NewPCG(seed, uint64(i)))}
				h.make()
				mu.Lock()
				for _, op := range h.ops {
					of, a := counts[op.Input.(call).name], op.Output.(answer)
					if a.n > 0 || a.list != "" || a.found && !counted(op) {
						of.found++
					} else {
						of.missed++
					}
					counts[op.Input.(call).name] = of
				}
				if wrong == nil {
					wrong = h.wrong(judge)
				}
				stop := wrong != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	makers.Wait()
	return counts, wrong
}

// counted says that the answer to a call is a number or a list.
func counted(op porcupine.Operation) bool {
	switch op.Input.(call).name {
	case "DeleteByUser", "DeleteOldest", "ByUser":
		return true
	}
	return false
}

// history is what some clients did to the sessions of one user.
type history struct {
	ctx    context.Context
	store  sessions.Store
	userID int64

	mu     sync.Mutex
	chance *rand.Rand
	filed  []filed // those that were filed or may have been; the first has number 1
	ops    []porcupine.Operation
	errs   []error
}

// make lets the clients loose.
func (h *history) make() {
	start := time.Now()
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for range callsEach {
				c := h.draw()
				called := time.Since(start)
				a, err := h.do(c)
				op := porcupine.Operation{ClientId: client, Input: c, Call: int64(called), Output: a, Return: int64(time.Since(start))}
				h.mu.Lock()
				h.ops = append(h.ops, op)
				if err != nil {
					h.errs = append(h.errs, fmt.Errorf("%s: %w", c.name, err))
				}
				h.mu.Unlock()
			}
		})
	}
	all.Wait()
}

// draw decides what a client does next: mostly something with one of the last
// few sessions, so that calls meet.
func (h *history) draw() call {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := call{name: "Create", user: h.chance.IntN(3) > 0}
	if n := len(h.filed); n > 0 {
		drawn := h.chance.IntN(20)
		c.name = [20]string{
			"Create", "Create", "Create", "Load", "Load", "Load", "Load", "Touch", "Touch", "Touch", "Move", "Move", "Move",
			"Delete", "DeleteHandle", "DeleteByUser", "DeleteByUser", "DeleteOldest", "ByUser", "ByUser",
		}[drawn]
		c.of = n - h.chance.IntN(min(n, 4))
		c.idle = h.chance.IntN(10)
		c.most = 1 + h.chance.IntN(3)
		if c.keep = c.of; drawn == 15 {
			c.keep = 0 // DeleteByUser that keeps none
		}
	}
	switch c.name {
	case "Create":
		c.of = h.newSession(c.user)
	case "Move":
		c.to = h.newSession(true)
	}
	return c
}

// newSession makes up a session and gives it the next number.
func (h *history) newSession(user bool) int {
	refs := sessions.Refs{CartID: 1}
	if user {
		refs.UserID = h.userID
	}
	f := newSession(refs)
	f.CreatedAt = now.Add(time.Duration(len(h.filed)) * time.Microsecond)
	h.filed = append(h.filed, f)
	return len(h.filed)
}

func (h *history) numbered(n int) filed {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.filed[n-1]
}

// do makes a call on the store.
func (h *history) do(c call) (a answer, err error) {
	f, keep := h.numbered(c.of), sessions.Key{}
	if c.keep != 0 {
		keep = h.numbered(c.keep).key
	}
	switch c.name {
	case "Create":
		err = h.store.Create(h.ctx, f.key, f.Session, happened)
	case "Load":
		var s sessions.Session
		if s, err = h.store.Load(h.ctx, f.key); err == nil {
			a.coat = h.coat(s)
		}
	case "Touch":
		err = h.store.Touch(h.ctx, f.key, f.IdleUntil.Add(time.Duration(c.idle)*time.Second))
	case "Move":
		to := h.numbered(c.to)
		err = h.store.Move(h.ctx, f.key, to.key, to.Session, happened)
	case "Delete":
		err = h.store.Delete(h.ctx, f.key, happened)
	case "DeleteHandle":
		err = h.store.DeleteHandle(h.ctx, h.userID, f.Handle, happened)
	case "DeleteByUser":
		a.n, err = h.store.DeleteByUser(h.ctx, h.userID, keep, happened)
	case "DeleteOldest":
		a.n, err = h.store.DeleteOldest(h.ctx, h.userID, c.most, keep, happened)
	case "ByUser":
		var list []sessions.Session
		list, err = h.store.ByUser(h.ctx, h.userID)
		coats := make([]coat, len(list))
		for i, s := range list {
			coats[len(list)-1-i] = h.coat(s)
		}
		a.list = listed(coats)
	}
	if errors.Is(err, sessions.ErrNotFound) {
		return a, nil
	}
	a.found = err == nil
	return a, err
}

// coat finds out which session it is that the store gave, by its handle.
func (h *history) coat(s sessions.Session) coat {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.filed, func(f filed) bool { return f.Handle == s.Handle })
	if i < 0 {
		return coat{number: -1}
	}
	return coat{number: i + 1, idle: int(s.IdleUntil.Sub(h.filed[i].IdleUntil) / time.Second), user: s.UserID == h.userID}
}

// wrong says what is wrong with the history, if anything.
func (h *history) wrong(judge judgement) error {
	if len(h.errs) > 0 {
		return errors.Join(h.errs...)
	}
	switch judge(h.ops) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return errors.New("whether a history is in order could not be found out within a minute")
	}
	slices.SortFunc(h.ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var b strings.Builder
	fmt.Fprintf(&b, "no order of these calls explains their answers (times in µs):\n")
	for _, op := range h.ops {
		fmt.Fprintf(&b, "%8d–%-8d client %d  %s\n", op.Call/1000, op.Return/1000, op.ClientId, words(op.Input.(call), op.Output.(answer)))
	}
	return errors.New(b.String())
}
