package memstore_test

import (
	"testing"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/memstore"
	"coatcheck/internal/sessions/sessionstest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	sessionstest.Run(t, func(t *testing.T) sessions.Store { return memstore.New(memstore.Most, nil) })
}
