package sessions_test

import (
	"context"
	"testing"
	"time"

	"coatcheck/internal/sessions"
)

// sweeping lets a shop sweep all the time, and gives what each sweep reports.
func (s *shop) sweeping() (next func() (removed int, err error), stop func()) {
	type report struct {
		removed int
		err     error
	}
	ctx, cancel := context.WithCancel(s.Context())
	reports, stopped := make(chan report), make(chan struct{})
	go func() {
		defer close(stopped)
		s.SweepEvery(ctx, time.Millisecond, func(removed int, err error) {
			select {
			case reports <- report{removed, err}:
			case <-ctx.Done():
			}
		})
	}()
	next = func() (int, error) {
		select {
		case r := <-reports:
			return r.removed, r.err
		case <-stopped:
			s.Fatal("SweepEvery has ended before its context")
			return 0, nil
		}
	}
	return next, func() {
		cancel()
		<-stopped // so SweepEvery ends with its context
	}
}

// A session that has timed out lies for one more idle time, so that its
// visitor can be told why they must sign in again.
func TestSweepEveryRemovesWhatHasBeenExpiredForAnIdleTime(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	s.arrives(sessions.Refs{UserID: 2})
	next, stop := s.sweeping()
	defer stop()
	sweeps := func(want int) {
		t.Helper()
		for range 3 { // the first may have begun before the clock was turned
			if removed, err := next(); removed != want || err != nil {
				t.Errorf("a sweep removed %d, %v; want %d", removed, err, want)
			}
		}
	}
	sweeps(0)
	s.clock.turn(sessions.DefaultPolicy.Idle + time.Minute)
	sweeps(0)
	v.wantTicket(sessions.TicketIdledOut)
	s.wantRows(1)

	s.clock.turn(sessions.DefaultPolicy.Idle)
	young := s.arrives(sessions.Refs{UserID: 3})
	removed := 0
	for range 3 {
		n, err := next()
		if err != nil {
			t.Error(err)
		}
		removed += n
	}
	if removed != 1 {
		t.Errorf("the sweeps removed %d sessions, want 1", removed)
	}
	sweeps(0)
	young.wantTicket(sessions.TicketLive)
	s.wantRows(1)
}

func TestSweepEveryReportsAFailureAndGoesOn(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	repair := s.breakStore()
	next, stop := s.sweeping()
	defer stop()
	if _, err := next(); err == nil {
		t.Error("a sweep of a store that fails reports no error")
	}
	repair()
	_, _ = next() // may have begun before the repair
	if _, err := next(); err != nil {
		t.Errorf("a sweep of a store that works again: %v", err)
	}
}
