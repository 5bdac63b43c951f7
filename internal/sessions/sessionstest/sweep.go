package sessionstest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"coatcheck/internal/sessions"
)

var sweeps = []test{
	{"SweepRemovesWhatHasExpiredAndKeepsTheLiving", sweepRemovesWhatHasExpiredAndKeepsTheLiving},
	{"SweepKeepsWhatWasTouched", sweepKeepsWhatWasTouched},
	{"SweepOfAnEmptyStoreRemovesNothing", sweepOfAnEmptyStoreRemovesNothing},
	{"SweepGoesThroughThousands", sweepGoesThroughThousands},
	{"TwoSweepsAtOnceRemoveEachSessionOnce", twoSweepsAtOnceRemoveEachSessionOnce},
	{"SweepNeverTakesWhatATouchHasSaved", sweepNeverTakesWhatATouchHasSaved},
	{"CancelledSweepStops", cancelledSweepStops},
}

// expiring files a session with deadlines that are counted from now.
func (r room) expiring(idle, lifetime time.Duration) filed {
	r.Helper()
	f := newSession(sessions.Refs{UserID: 1})
	f.IdleUntil, f.Until = now.Add(idle), now.Add(lifetime)
	r.create(f)
	return f
}

func sweepRemovesWhatHasExpiredAndKeepsTheLiving(r room) {
	const us = time.Microsecond
	dead := []filed{
		r.expiring(idle-us, lifetime), // idle too long
		r.expiring(idle, lifetime),    // exactly at the idle deadline
		r.expiring(lifetime, idle-us), // lived too long, however busy
		r.expiring(lifetime, idle),    // exactly at the absolute deadline
		r.expiring(time.Second, time.Second),
	}
	alive := []filed{
		r.expiring(idle+us, lifetime),
		r.expiring(lifetime, idle+us),
		r.expiring(lifetime, lifetime),
	}
	r.sweep(now.Add(idle), len(dead))
	r.findsNot(dead...)
	r.finds(alive...)
	r.sweep(now.Add(idle), 0)
	r.finds(alive...)
}

func sweepKeepsWhatWasTouched(r room) {
	touched, idled := r.expiring(idle, lifetime), r.expiring(idle, lifetime)
	touched.IdleUntil = touched.IdleUntil.Add(time.Microsecond)
	r.touch(touched, touched.IdleUntil)
	r.sweep(now.Add(idle), 1)
	r.finds(touched)
	r.findsNot(idled)
}

func sweepOfAnEmptyStoreRemovesNothing(r room) {
	r.sweep(now, 0)
}

// thousands is more than a bounded step will take at once.
const thousands = 2_500

// fill files so many sessions from several sides at once, for speed.
func (r room) fill(n int, idle time.Duration) []filed {
	r.Helper()
	made := make([]filed, n)
	var next atomic.Int64
	atOnce(4, func(int) func() {
		for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
			f := newSession(sessions.Refs{UserID: i%100 + 1})
			f.IdleUntil = now.Add(idle)
			if err := r.store.Create(r.ctx, f.key, f.Session, happened); err != nil {
				r.Errorf("Create: %v", err)
			}
			made[i] = f
		}
		return nil
	})
	return made
}

func sweepGoesThroughThousands(r room) {
	dead, alive := r.fill(thousands, idle), r.fill(100, idle+time.Second)
	r.sweep(now.Add(idle), len(dead))
	r.sweep(now.Add(idle), 0)
	r.finds(alive...)
	r.findsNot(dead[0], dead[thousands/2], dead[thousands-1])
}

func twoSweepsAtOnceRemoveEachSessionOnce(r room) {
	dead, alive := r.fill(thousands, idle), r.fill(100, idle+time.Second)
	var removed atomic.Int64
	atOnce(2, func(int) func() {
		n, err := r.store.Sweep(r.ctx, now.Add(idle))
		if err != nil {
			r.Errorf("Sweep: %v", err)
		}
		removed.Add(int64(n))
		return nil
	})
	if got := removed.Load(); got != int64(len(dead)) {
		r.Errorf("two sweeps say that they removed %d of %d", got, len(dead))
	}
	r.sweep(now.Add(idle), 0)
	r.finds(alive...)
}

// A touch that says it worked has given the session more time, and a sweep
// that runs beside it must respect that.
func sweepNeverTakesWhatATouchHasSaved(r room) {
	all := r.fill(400, idle)
	saved := make([]bool, len(all))
	removed := 0
	atOnce(4, func(who int) func() {
		if who == 0 {
			n, err := r.store.Sweep(r.ctx, now.Add(idle))
			if err != nil {
				r.Errorf("Sweep: %v", err)
			}
			return func() { removed = n }
		}
		for i := who - 1; i < len(all); i += 3 {
			err := r.store.Touch(r.ctx, all[i].key, now.Add(2*idle))
			if err != nil {
				r.wantNotFound("Touch", err)
			}
			saved[i] = err == nil
		}
		return nil
	})
	lost := 0
	for i, f := range all {
		if !saved[i] {
			lost++
			r.findsNot(f)
			continue
		}
		f.IdleUntil = now.Add(2 * idle)
		r.finds(f)
	}
	if lost != removed {
		r.Errorf("the sweep says that it removed %d; the touches missed %d", removed, lost)
	}
}

func cancelledSweepStops(r room) {
	dead := r.expiring(idle, lifetime)
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	removed, err := r.store.Sweep(ctx, dead.Until)
	if !errors.Is(err, context.Canceled) || removed != 0 {
		r.Errorf("Sweep: removed %d, %v; want nothing, and that the context was cancelled", removed, err)
	}
	r.finds(dead)
}
