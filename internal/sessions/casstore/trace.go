package casstore

import (
	"context"
	"strings"
	"time"

	"coatcheck/internal/sessions"
)

// Commands are the names of what a backend is told.
type Commands struct{ Get, Add, Swap string }

// traced is a backend that tells the request's trace what it is told.
type traced struct {
	Backend
	commands Commands
}

func (t *traced) Get(ctx context.Context, keys ...string) ([]Item, error) {
	start := time.Now()
	items, err := t.Backend.Get(ctx, keys...)
	told := make([]sessions.Command, len(keys))
	for i, key := range keys {
		told[i] = t.command(t.commands.Get, key, err == nil && items[i].Value != nil)
	}
	sessions.TraceAsked(ctx, told, time.Since(start), err)
	return items, err
}

func (t *traced) Add(ctx context.Context, key string, value []byte, expires time.Time) (bool, error) {
	start := time.Now()
	added, err := t.Backend.Add(ctx, key, value, expires)
	sessions.TraceAsked(ctx, []sessions.Command{t.command(t.commands.Add, key, added)}, time.Since(start), err)
	return added, err
}

func (t *traced) Swap(ctx context.Context, found Item, value []byte, expires time.Time) (bool, error) {
	start := time.Now()
	swapped, err := t.Backend.Swap(ctx, found, value, expires)
	sessions.TraceAsked(ctx, []sessions.Command{t.command(t.commands.Swap, found.Key, swapped)}, time.Since(start), err)
	return swapped, err
}

// command names the key, but of a session's hash only the beginning.
func (t *traced) command(name, key string, done bool) sessions.Command {
	const shown = 6
	colon := strings.LastIndexByte(key, ':') + 1
	if strings.HasPrefix(key, whose) || strings.HasPrefix(key, boxOf("", 0)) {
		key = key[:colon+shown] + "…"
	}
	c := sessions.Command{Text: name + " " + key}
	if done {
		c.Found = 1
	}
	return c
}
