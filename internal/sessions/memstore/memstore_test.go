package memstore_test

import (
	"errors"
	"testing"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/memstore"
	"coatcheck/internal/sessions/sessionstest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	sessionstest.Run(t, func(t *testing.T) sessions.Store { return memstore.New(memstore.Most, nil) })
}

func TestRecord(t *testing.T) {
	t.Parallel()
	sessionstest.Record(t, func(t *testing.T) (sessions.Store, func() []sessions.Event) {
		record, taken := sessionstest.Recording()
		return memstore.New(memstore.Most, record), taken
	})
}

func TestFullStoreTurnsNewcomersAwayAndKeepsTheOthers(t *testing.T) {
	t.Parallel()
	ctx, st := t.Context(), memstore.New(2, nil)
	session := sessions.Session{Handle: "H", CreatedAt: now, IdleUntil: now.Add(time.Minute), Until: now.Add(time.Hour)}
	for i := range byte(2) {
		if err := st.Create(ctx, sessions.Key{i + 1}, session, sessions.Event{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Create(ctx, sessions.Key{9}, session, sessions.Event{}); !errors.Is(err, sessions.ErrUnavailable) {
		t.Errorf("Create in a full store: %v", err)
	}
	if err := st.Move(ctx, sessions.Key{1}, sessions.Key{9}, session, sessions.Event{}); err != nil {
		t.Errorf("Move in a full store: %v", err)
	}
	if _, err := st.Sweep(ctx, session.IdleUntil); err != nil {
		t.Fatal(err)
	}
	if err := st.Create(ctx, sessions.Key{10}, session, sessions.Event{}); err != nil {
		t.Errorf("Create after a sweep has made room: %v", err)
	}
}

var now = time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)

func TestHistoryIsLinearizable(t *testing.T) {
	t.Parallel()
	sessionstest.History(t, memstore.New(memstore.Most, nil))
}
