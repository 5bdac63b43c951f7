package sessionstest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/sessions"
)

// Record tests that a store puts on record what happens to sessions: each
// beginning and each end once, and nothing that did not happen. What open
// gives besides the store reads the events that have come since it was last
// asked.
func Record(t *testing.T, open func(t *testing.T) (sessions.Store, func() []sessions.Event)) {
	for _, test := range []struct {
		name string
		run  func(r room, taken func() []sessions.Event)
	}{
		{"EveryChangeIsOnRecordOnce", everyChangeIsOnRecordOnce},
		{"EndIsOnRecordOnceHoweverManyEndIt", endIsOnRecordOnceHoweverManyEndIt},
		{"SweptSessionIsOnRecordByTheDeadlineThatPassed", sweptSessionIsOnRecordByTheDeadlineThatPassed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store, taken := open(t)
			test.run(room{t, t.Context(), store}, taken)
		})
	}
}

var (
	arrival  = sessions.Event{At: now, Kind: sessions.SignedIn, Address: "203.0.113.9", Browser: "Desk/1.0"}
	eviction = sessions.Event{At: now.Add(time.Minute), Kind: sessions.Revoked, By: "administrator 3"}
)

// about is the event e as it is to stand on record of a session.
func about(e sessions.Event, f filed) sessions.Event {
	e.Session, e.UserID = f.Handle, f.UserID
	return e
}

// onRecord expects these events, in any order, and no others.
func (r room) onRecord(what string, got []sessions.Event, want ...sessions.Event) {
	r.Helper()
	byHandle := func(a, b sessions.Event) int { return strings.Compare(a.Session, b.Session) }
	slices.SortFunc(got, byHandle)
	slices.SortFunc(want, byHandle)
	if !slices.Equal(got, want) {
		r.Errorf("%s: on record is %+v\nwant %+v", what, got, want)
	}
}

// ended expects that so many sessions were ended.
func (r room) ended(want int) func(int, error) {
	return func(n int, err error) {
		r.Helper()
		if n != want || err != nil {
			r.Errorf("%d ended, %v; want %d", n, err, want)
		}
	}
}

// arrive files a session that is so old, as a sign-in does.
func (r room) arrive(userID int64, age time.Duration) filed {
	r.Helper()
	f := newSession(sessions.Refs{UserID: userID})
	f.CreatedAt = now.Add(-age)
	if err := r.store.Create(r.ctx, f.key, f.Session, arrival); err != nil {
		r.Fatal(err)
	}
	return f
}

// Each call that begins or ends sessions leaves one event a session, and none
// if there was nothing to begin or end.
func everyChangeIsOnRecordOnce(r room, taken func() []sessions.Event) {
	st, ctx := r.store, r.ctx
	must := func(err error) {
		r.Helper()
		if err != nil {
			r.Fatal(err)
		}
	}

	f, guest := r.arrive(1, 0), r.arrive(0, 0)
	r.onRecord("Create", taken(), about(arrival, f), about(arrival, guest))
	r.wantFailure("Create", st.Create(ctx, f.key, newSession(sessions.Refs{UserID: 1}).Session, arrival))
	r.onRecord("Create that failed", taken())

	to := newSession(sessions.Refs{UserID: 1})
	must(st.Move(ctx, f.key, to.key, to.Session, arrival))
	moved := about(arrival, to)
	moved.Previous = f.Handle
	r.onRecord("Move", taken(), moved)
	lost := newSession(sessions.Refs{UserID: 1})
	r.wantNotFound("Move", st.Move(ctx, f.key, lost.key, lost.Session, arrival))
	r.wantFailure("Move", st.Move(ctx, to.key, guest.key, lost.Session, arrival))
	r.finds(to)
	r.onRecord("Move that failed", taken())

	must(st.Touch(ctx, to.key, to.IdleUntil.Add(time.Minute)))
	r.onRecord("Touch", taken())

	must(st.Delete(ctx, to.key, eviction))
	r.onRecord("Delete", taken(), about(eviction, to))
	r.wantNotFound("Delete", st.Delete(ctx, to.key, eviction))
	r.wantNotFound("DeleteHandle", st.DeleteHandle(ctx, 1, to.Handle, eviction))
	r.wantNotFound("DeleteHandle", st.DeleteHandle(ctx, 1, guest.Handle, eviction))
	r.onRecord("Delete of what is not there", taken())

	a, b, c, stranger := r.arrive(1, 3*time.Hour), r.arrive(1, 2*time.Hour), r.arrive(1, time.Hour), r.arrive(2, 0)
	keep := r.arrive(1, 0)
	r.onRecord("Create", taken(), about(arrival, a), about(arrival, b), about(arrival, c), about(arrival, stranger), about(arrival, keep))
	must(st.DeleteHandle(ctx, 1, a.Handle, eviction))
	r.onRecord("DeleteHandle", taken(), about(eviction, a))
	r.ended(1)(st.DeleteOldest(ctx, 1, 2, keep.key, eviction))
	r.onRecord("DeleteOldest", taken(), about(eviction, b))
	r.ended(0)(st.DeleteOldest(ctx, 1, 2, keep.key, eviction))
	r.ended(1)(st.DeleteByUser(ctx, 1, keep.key, eviction))
	r.onRecord("DeleteByUser", taken(), about(eviction, c))
	r.ended(0)(st.DeleteByUser(ctx, 1, keep.key, eviction))
	r.ended(2)(st.DeleteAll(ctx, keep.key, eviction))
	r.onRecord("DeleteAll", taken(), about(eviction, stranger), about(eviction, guest))
	r.ended(0)(st.DeleteAll(ctx, keep.key, eviction))
	r.onRecord("ending what is not there", taken())
}

// Of many that end a session at once, one has ended it.
func endIsOnRecordOnceHoweverManyEndIt(r room, taken func() []sessions.Event) {
	for range 20 {
		f := r.arrive(1, 0)
		r.onRecord("Create", taken(), about(arrival, f))
		ends := []func(context.Context) error{
			func(ctx context.Context) error { return r.store.Delete(ctx, f.key, eviction) },
			func(ctx context.Context) error { return r.store.DeleteHandle(ctx, 1, f.Handle, eviction) },
			func(ctx context.Context) error {
				_, err := r.store.DeleteByUser(ctx, 1, sessions.Key{}, eviction)
				return err
			},
			func(ctx context.Context) error {
				_, err := r.store.DeleteAll(ctx, sessions.Key{}, eviction)
				return err
			},
		}
		atOnce(2*len(ends), func(i int) func() {
			if err := ends[i%len(ends)](r.ctx); err != nil && !errors.Is(err, sessions.ErrNotFound) {
				return func() { r.Error(err) }
			}
			return nil
		})
		r.onRecord("eight ends at once", taken(), about(eviction, f))
	}
}

// It ended at its deadline, whenever that was noticed.
func sweptSessionIsOnRecordByTheDeadlineThatPassed(r room, taken func() []sessions.Event) {
	idled, lived, both := r.expiring(idle, lifetime), r.expiring(50*time.Minute, 40*time.Minute), r.expiring(45*time.Minute, 45*time.Minute)
	r.expiring(61*time.Minute, lifetime)
	taken()
	r.sweep(now.Add(time.Hour), 3)
	r.onRecord("Sweep", taken(),
		about(sessions.Event{At: idled.IdleUntil, Kind: sessions.IdledOut}, idled),
		about(sessions.Event{At: lived.Until, Kind: sessions.LivedOut}, lived),
		about(sessions.Event{At: both.Until, Kind: sessions.LivedOut}, both))
	r.sweep(now.Add(time.Hour), 0)
	r.onRecord("another sweep", taken())
}

// Recording gives a recorder that keeps what it is told, and what reads that,
// for stores that leave the record to somebody else.
func Recording() (sessions.Recorder, func() []sessions.Event) {
	var events lockedEvents
	return events.add, events.take
}

type lockedEvents struct {
	mu     sync.Mutex
	events []sessions.Event
}

func (l *lockedEvents) add(_ context.Context, events ...sessions.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, events...)
}

func (l *lockedEvents) take() []sessions.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.events
	l.events = nil
	return events
}
