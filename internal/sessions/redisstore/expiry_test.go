package redisstore_test

import (
	"strings"
	"testing"
	"time"

	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/redisstore"

	"github.com/redis/go-redis/v9"
)

// What has expired goes by itself, and not before its visitor could be told.
func TestKeysExpireAnHourAfterTheirSessions(t *testing.T) {
	t.Parallel()
	ctx, o := t.Context(), &redis.UniversalOptions{Addrs: []string{servers.Redis(t).Addr}}
	st := redisstore.New(o, "mine", nil)
	client := redis.NewUniversalClient(o)
	t.Cleanup(func() { st.Close(); client.Close() })
	now := time.Now()
	s := sessions.Session{
		Handle: "H", Refs: sessions.Refs{UserID: 7},
		CreatedAt: now, IdleUntil: now.Add(30 * time.Minute), Until: now.Add(30 * 24 * time.Hour),
	}
	if err := st.Create(ctx, sessions.Key{1}, s, sessions.Event{}); err != nil {
		t.Fatal(err)
	}
	want := func(key string, at time.Time) {
		t.Helper()
		left := client.TTL(ctx, key).Val()
		if off := time.Until(at.Add(time.Hour)) - left; off.Abs() > 2*time.Second {
			t.Errorf("%s expires in %v, which is %v off", key, left, off)
		}
	}
	var lead string
	for _, key := range client.Keys(ctx, "*").Val() {
		switch {
		case !strings.HasPrefix(key, "mine:"):
			t.Errorf("the key %q is outside of the namespace", key)
		case strings.HasPrefix(key, "mine:session:"):
			lead = key
		}
	}
	want(lead, s.Until)
	want("mine:box:user:7", s.IdleUntil)
	if err := st.Touch(ctx, sessions.Key{1}, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	want("mine:box:user:7", now.Add(time.Hour))

	// The box stays for the one that lasts longest.
	s.IdleUntil = now.Add(14 * 24 * time.Hour)
	if err := st.Create(ctx, sessions.Key{2}, s, sessions.Event{}); err != nil {
		t.Fatal(err)
	}
	want("mine:box:user:7", s.IdleUntil)
	if err := st.Delete(ctx, sessions.Key{2}, sessions.Event{}); err != nil {
		t.Fatal(err)
	}
	want("mine:box:user:7", now.Add(time.Hour))
	if err := st.Delete(ctx, sessions.Key{1}, sessions.Event{}); err != nil {
		t.Fatal(err)
	}
	if n := client.Exists(ctx, "mine:box:user:7").Val(); n != 0 {
		t.Error("an empty box stays")
	}
}
