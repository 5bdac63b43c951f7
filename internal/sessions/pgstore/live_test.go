package pgstore_test

import (
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions/pgstore"
)

func TestLiveCountsWhatHasNotExpired(t *testing.T) {
	t.Parallel()
	st := pgstore.New(pgtest.New(t))
	for _, left := range []struct{ idle, lifetime time.Duration }{
		{time.Second, time.Hour}, {time.Hour, time.Second}, {time.Hour, time.Hour}, // live
		{0, time.Hour}, {time.Hour, 0}, {-time.Hour, -time.Minute}, // not
	} {
		f := newSession()
		f.IdleUntil, f.Until = now.Add(left.idle), now.Add(left.lifetime)
		create(t, st, f)
	}
	if n, err := st.Live(t.Context(), now); err != nil || n != 3 {
		t.Errorf("Live: %d, %v; want 3", n, err)
	}
}
