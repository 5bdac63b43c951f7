package sessionstest

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"coatcheck/internal/sessions"
)

var calls = []test{
	{"LoadGivesWhatCreateFiled", loadGivesWhatCreateFiled},
	{"LoadGivesTimesInUTC", loadGivesTimesInUTC},
	{"LoadGivesExpiredSessions", loadGivesExpiredSessions},
	{"LoadOfAnUnknownKeyFindsNothing", loadOfAnUnknownKeyFindsNothing},
	{"CreateUnderAKeyInUseChangesNothing", createUnderAKeyInUseChangesNothing},
	{"OfManyCreatesUnderOneKeyOneWins", ofManyCreatesUnderOneKeyOneWins},
	{"TouchMovesTheIdleDeadlineAndNothingElse", touchMovesTheIdleDeadlineAndNothingElse},
	{"TouchNeverMovesBackwards", touchNeverMovesBackwards},
	{"OfManyTouchesTheLatestDeadlineStays", ofManyTouchesTheLatestDeadlineStays},
	{"TouchOfAnUnknownKeyFindsNothing", touchOfAnUnknownKeyFindsNothing},
	{"TouchAfterDeleteFindsNothing", touchAfterDeleteFindsNothing},
	{"TouchAfterMoveFindsNothing", touchAfterMoveFindsNothing},
	{"DeleteEndsOneSession", deleteEndsOneSession},
	{"DeleteTwiceFindsNothing", deleteTwiceFindsNothing},
	{"CancelledCallsFailAndChangeNothing", cancelledCallsFailAndChangeNothing},
}

func loadGivesWhatCreateFiled(r room) {
	for _, refs := range []sessions.Refs{
		{},
		{UserID: 1},
		{CartID: 1},
		{UserID: 2, CartID: 3},
		{UserID: math.MaxInt64, CartID: math.MaxInt64 - 1}, // a float64 cannot tell them apart
	} {
		r.finds(r.created(refs))
	}
}

func loadGivesTimesInUTC(r room) {
	far := newSession(sessions.Refs{UserID: 1})
	here := far
	zone := time.FixedZone("far away", 5*60*60+45*60)
	far.CreatedAt, far.IdleUntil, far.Until = far.CreatedAt.In(zone), far.IdleUntil.In(zone), far.Until.In(zone)
	r.create(far)
	r.finds(here)
	r.lists(1, here)
}

// A store keeps time of no kind: whether a session still counts is for the
// caller to say.
func loadGivesExpiredSessions(r room) {
	f := newSession(sessions.Refs{UserID: 1})
	f.CreatedAt, f.IdleUntil, f.Until = now.Add(-time.Hour), now.Add(-time.Minute), now.Add(-time.Second)
	r.create(f)
	r.finds(f)
}

func loadOfAnUnknownKeyFindsNothing(r room) {
	r.created(sessions.Refs{})
	_, err := r.store.Load(r.ctx, newSession(sessions.Refs{}).key)
	r.wantNotFound("Load", err)
	_, err = r.store.Load(r.ctx, sessions.Key{})
	r.wantNotFound("Load of the zero key", err)
}

func createUnderAKeyInUseChangesNothing(r room) {
	first := r.created(sessions.Refs{UserID: 1})
	second := newSession(sessions.Refs{UserID: 2})
	r.wantFailure("Create", r.store.Create(r.ctx, first.key, second.Session, happened))
	r.finds(first)
	r.lists(1, first)
	r.lists(2)
}

func ofManyCreatesUnderOneKeyOneWins(r room) {
	key := newSession(sessions.Refs{}).key
	var winners []filed
	atOnce(many, func(i int) func() {
		f := newSession(sessions.Refs{UserID: int64(i)})
		f.key = key
		if r.store.Create(r.ctx, key, f.Session, happened) == nil {
			return func() { winners = append(winners, f) }
		}
		return nil
	})
	if len(winners) != 1 {
		r.Fatalf("%d of %d creates under one key succeeded", len(winners), many)
	}
	r.finds(winners...)
}

func touchMovesTheIdleDeadlineAndNothingElse(r room) {
	other := r.created(sessions.Refs{UserID: 2, CartID: 3})
	f := r.created(sessions.Refs{UserID: 2, CartID: 3})
	f.IdleUntil = f.IdleUntil.Add(time.Microsecond)
	r.touch(f, f.IdleUntil)
	r.finds(f, other)
	f.IdleUntil = f.Until.Add(idle) // the absolute deadline stays where it is
	r.touch(f, f.IdleUntil)
	r.finds(f, other)
	if list := r.byUser(2); len(list) != 2 || list[0] != f.Session && list[1] != f.Session {
		r.Errorf("ByUser does not know the new deadline: %+v", list)
	}
}

func touchNeverMovesBackwards(r room) {
	f := r.created(sessions.Refs{UserID: 1})
	for _, earlier := range []time.Duration{0, time.Microsecond, idle, lifetime} {
		r.touch(f, f.IdleUntil.Add(-earlier))
		r.finds(f)
	}
}

func ofManyTouchesTheLatestDeadlineStays(r room) {
	f := r.created(sessions.Refs{UserID: 1})
	latest := f.IdleUntil.Add(many * time.Second)
	atOnce(many, func(i int) func() {
		r.touch(f, latest.Add(-time.Duration(i)*time.Second))
		return nil
	})
	f.IdleUntil = latest
	r.finds(f)
}

func touchOfAnUnknownKeyFindsNothing(r room) {
	f := newSession(sessions.Refs{UserID: 1})
	r.wantNotFound("Touch", r.store.Touch(r.ctx, f.key, f.IdleUntil))
	r.findsNot(f)
}

func touchAfterDeleteFindsNothing(r room) {
	f := r.created(sessions.Refs{UserID: 1})
	r.delete(f)
	r.wantNotFound("Touch", r.store.Touch(r.ctx, f.key, f.IdleUntil.Add(idle)))
	r.findsNot(f)
}

func touchAfterMoveFindsNothing(r room) {
	old, to := r.created(sessions.Refs{UserID: 1}), newSession(sessions.Refs{UserID: 1})
	r.move(old, to)
	r.wantNotFound("Touch", r.store.Touch(r.ctx, old.key, old.IdleUntil.Add(idle)))
	r.findsNot(old)
	r.finds(to)
}

func deleteEndsOneSession(r room) {
	f, other := r.created(sessions.Refs{UserID: 1}), r.created(sessions.Refs{UserID: 1})
	r.delete(f)
	r.findsNot(f)
	r.finds(other)
	r.lists(1, other)
}

func deleteTwiceFindsNothing(r room) {
	f := r.created(sessions.Refs{UserID: 1})
	r.delete(f)
	r.wantNotFound("Delete", r.store.Delete(r.ctx, f.key, happened))
	r.wantNotFound("Delete", r.store.Delete(r.ctx, newSession(sessions.Refs{}).key, happened))
	r.findsNot(f)
}

// A store that could not do its work must not say that it found nothing: a
// hiccup would sign everybody out.
func cancelledCallsFailAndChangeNothing(r room) {
	f, to := r.created(sessions.Refs{UserID: 1}), newSession(sessions.Refs{UserID: 1})
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	for call, do := range map[string]func() error{
		"Create":       func() error { return r.store.Create(ctx, to.key, to.Session, happened) },
		"Load":         func() error { _, err := r.store.Load(ctx, f.key); return err },
		"Touch":        func() error { return r.store.Touch(ctx, f.key, f.IdleUntil.Add(idle)) },
		"Move":         func() error { return r.store.Move(ctx, f.key, to.key, to.Session, happened) },
		"MovedAt":      func() error { _, err := r.store.MovedAt(ctx, f.key); return err },
		"Delete":       func() error { return r.store.Delete(ctx, f.key, happened) },
		"ByUser":       func() error { _, err := r.store.ByUser(ctx, 1); return err },
		"DeleteHandle": func() error { return r.store.DeleteHandle(ctx, 1, f.Handle, happened) },
		"DeleteByUser": func() error { _, err := r.store.DeleteByUser(ctx, 1, sessions.Key{}, happened); return err },
		"DeleteOldest": func() error { _, err := r.store.DeleteOldest(ctx, 1, 1, to.key, happened); return err },
		"DeleteAll":    func() error { _, err := r.store.DeleteAll(ctx, to.key, happened); return err },
		"Each":         func() error { return r.store.Each(ctx, func(sessions.Session) error { return nil }) },
		"Sweep":        func() error { _, err := r.store.Sweep(ctx, f.Until); return err },
	} {
		err := do()
		r.wantFailure(call, err)
		if !errors.Is(err, context.Canceled) {
			r.Errorf("%s: %v; want it to say that the context was cancelled", call, err)
		}
	}
	r.finds(f)
	r.findsNot(to)
}

// many is how many callers meet where calls race.
const many = 16

// atOnce runs so many calls as near to one moment as can be, and after they
// have all come back, what each of them wants to put on record.
func atOnce(n int, call func(i int) (record func())) {
	var (
		callers sync.WaitGroup
		waiting atomic.Int64
		start   = make(chan struct{})
		records = make([]func(), n)
	)
	for i := range n {
		callers.Go(func() {
			if waiting.Add(1) == int64(n) {
				close(start)
			}
			<-start
			records[i] = call(i)
		})
	}
	callers.Wait()
	for _, record := range records {
		if record != nil {
			record()
		}
	}
}
