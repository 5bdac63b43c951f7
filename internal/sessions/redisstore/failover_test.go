package redisstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/sessions"

	"github.com/redis/go-redis/v9"
)

// The master goes, and sentinels make a replica the master. Until then the
// store says that it is unavailable, and never that there is no such session.
func TestSessionsGoOnUnderAnotherMaster(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), servers.RedisSentinels(t)
	st := open(t, "redis+sentinel://"+strings.Join(s.Addrs, ",")+"/"+s.Name, nil)
	now := time.Now().UTC().Truncate(time.Microsecond)
	session := sessions.Session{Handle: "H", Refs: sessions.Refs{UserID: 7}, CreatedAt: now, IdleUntil: now.Add(time.Hour), Until: now.Add(12 * time.Hour)}
	if err := st.Create(ctx, sessions.Key{1}, session, sessions.Event{}); err != nil {
		t.Fatal(err)
	}
	// A replica hears of a change after the client does, so a failover may
	// forget the last one. Here it has heard.
	master := redis.NewClient(&redis.Options{Addr: s.Master.Addr})
	defer master.Close()
	if n := master.Wait(ctx, 1, time.Minute).Val(); n != 1 {
		t.Fatalf("%d replicas have heard", n)
	}
	s.Master.Kill()
	down := 0
	ask := func(what string, call func() error) {
		t.Helper()
		for start := time.Now(); ; down++ {
			err := call()
			if err == nil {
				return
			}
			if !errors.Is(err, sessions.ErrUnavailable) || time.Since(start) > time.Minute {
				t.Fatalf("%s, while there is no master: %v", what, err)
			}
		}
	}
	ask("Load", func() error {
		found, err := st.Load(ctx, sessions.Key{1})
		if err == nil && found != session {
			t.Errorf("Load: %+v\nwant  %+v", found, session)
		}
		return err
	})
	ask("Touch", func() error { return st.Touch(ctx, sessions.Key{1}, now.Add(2*time.Hour)) })
	if down == 0 {
		t.Error("the master was not missed")
	}
}
