package pgstore_test

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
)

// X8: whoever comes after a session has ended does not find it, however many
// look it up at that moment, and though they share their look-ups.
func TestEndedSessionIsNotFoundByALookUpThatOthersShare(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := pgstore.Join(pgstore.New(pgtest.New(t)), time.Minute)
	for range 30 {
		f := newSession()
		if err := st.Create(ctx, f.key, f.Session, happened); err != nil {
			t.Fatal(err)
		}
		over := make(chan struct{})
		var crowd sync.WaitGroup
		var loads atomic.Int32
		for range 20 {
			crowd.Go(func() {
				for {
					select {
					case <-over:
						return
					default:
					}
					if got, err := st.Load(ctx, f.key); err != nil && !errors.Is(err, sessions.ErrNotFound) || err == nil && got != f.Session {
						t.Errorf("Load = %+v, %v", got, err)
					}
					loads.Add(1)
				}
			})
		}
		for loads.Load() < 40 { // until all are at it
			runtime.Gosched()
		}
		if err := st.Delete(ctx, f.key, happened); err != nil {
			t.Fatal(err)
		}
		if got, err := st.Load(ctx, f.key); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("after its end Load = %+v, %v", got, err)
		}
		close(over)
		crowd.Wait()
	}
}
