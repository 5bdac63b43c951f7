package sessionstest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/memstore"

	"github.com/anishathalye/porcupine"
)

// oneByOne is wrong only where all must end at once. It does not list again,
// either, so it may miss a session that is on the move.
const oneByOne = "those of a user are ended one by one"

// Stores that are wrong, mostly now and then. What History is worth is whether
// it notices.
var faults = map[string]func(sessions.Store) sessions.Store{
	"a look-up is answered from a cache": func(st sessions.Store) sessions.Store { return &caching{Store: st} },
	"a touch revives":                    func(st sessions.Store) sessions.Store { return &reviving{Store: st} },
	"a move leaves the old one":          func(st sessions.Store) sessions.Store { return leaving{st} },
	"an end is reported and not made":    func(st sessions.Store) sessions.Store { return forgetful{st} },
	oneByOne:                             func(st sessions.Store) sessions.Store { return listing{st} },
	"a touch moves backwards":            func(st sessions.Store) sessions.Store { return backwards{st} },
}

func TestHistoryNoticesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, wrong := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			strict, inTurn := model, stepwise.ToModel()
			for way, judge := range map[string]judgement{
				"at once": func(ops []porcupine.Operation) porcupine.CheckResult {
					return porcupine.CheckOperationsTimeout(strict, ops, time.Minute)
				},
				"in steps": func(ops []porcupine.Operation) porcupine.CheckResult {
					return porcupine.CheckOperationsTimeout(inTurn, inSteps(ops), time.Minute)
				},
			} {
				_, err := check(t.Context(), wrong(slow{memstore.New(memstore.Most, nil)}), rand.Uint64(), judge)
				if err == nil && !(name == oneByOne && way == "in steps") {
					t.Errorf("judged %s, nobody notices", way)
				}
			}
		})
	}
}

func TestHistoryOfAPlainStoreIsInOrder(t *testing.T) {
	t.Parallel()
	History(t, slow{memstore.New(memstore.Most, nil)})
}

// slow lets others run between the calls of a client, and within them.
type slow struct{ *memstore.Store }

func rest() {
	if rand.IntN(4) == 0 {
		time.Sleep(time.Duration(rand.IntN(50)) * time.Microsecond)
	}
}

func (s slow) Load(ctx context.Context, k sessions.Key) (sessions.Session, error) {
	rest()
	defer rest()
	return s.Store.Load(ctx, k)
}

func (s slow) Move(ctx context.Context, old, new sessions.Key, to sessions.Session, e sessions.Event) error {
	rest()
	defer rest()
	return s.Store.Move(ctx, old, new, to, e)
}

type caching struct {
	sessions.Store
	found sync.Map
}

func (c *caching) Load(ctx context.Context, k sessions.Key) (sessions.Session, error) {
	if s, ok := c.found.Load(k); ok && rand.IntN(20) == 0 {
		return s.(sessions.Session), nil
	}
	s, err := c.Store.Load(ctx, k)
	if err == nil {
		c.found.Store(k, s)
	}
	return s, err
}

type reviving struct {
	sessions.Store
	filed sync.Map
}

func (r *reviving) Create(ctx context.Context, k sessions.Key, s sessions.Session, e sessions.Event) error {
	r.filed.Store(k, s)
	return r.Store.Create(ctx, k, s, e)
}

func (r *reviving) Touch(ctx context.Context, k sessions.Key, idleUntil time.Time) error {
	err := r.Store.Touch(ctx, k, idleUntil)
	if s, ok := r.filed.Load(k); ok && errors.Is(err, sessions.ErrNotFound) && rand.IntN(20) == 0 {
		return r.Store.Create(ctx, k, s.(sessions.Session), happened)
	}
	return err
}

type leaving struct{ sessions.Store }

func (l leaving) Move(ctx context.Context, old, new sessions.Key, s sessions.Session, e sessions.Event) error {
	if rand.IntN(20) > 0 {
		return l.Store.Move(ctx, old, new, s, e)
	}
	if _, err := l.Store.Load(ctx, old); err != nil {
		return err
	}
	return l.Store.Create(ctx, new, s, e)
}

type forgetful struct{ sessions.Store }

func (f forgetful) Delete(ctx context.Context, k sessions.Key, e sessions.Event) error {
	if rand.IntN(20) == 0 {
		_, err := f.Store.Load(ctx, k)
		return err
	}
	return f.Store.Delete(ctx, k, e)
}

type listing struct{ sessions.Store }

// DeleteByUser lists first, and then ends what was on the list.
func (s listing) DeleteByUser(ctx context.Context, userID int64, keep sessions.Key, e sessions.Event) (n int, err error) {
	if keep != (sessions.Key{}) {
		return s.Store.DeleteByUser(ctx, userID, keep, e)
	}
	list, err := s.ByUser(ctx, userID)
	for _, one := range list {
		rest()
		if s.DeleteHandle(ctx, userID, one.Handle, e) == nil {
			n++
		}
	}
	return n, err
}

type backwards struct{ sessions.Store }

func (b backwards) Touch(ctx context.Context, k sessions.Key, idleUntil time.Time) error {
	s, err := b.Load(ctx, k)
	if err != nil || idleUntil.After(s.IdleUntil) || rand.IntN(10) > 0 {
		return b.Store.Touch(ctx, k, idleUntil)
	}
	s.IdleUntil = idleUntil
	if err := b.Store.Delete(ctx, k, happened); err != nil {
		return err
	}
	return b.Store.Create(ctx, k, s, happened)
}
