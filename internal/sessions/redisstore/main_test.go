package redisstore_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

// The client tells of each sentinel that it finds.
func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	m.Run()
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
