package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/memcachestore"
	"coatcheck/internal/sessions/memstore"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/sessions/redisstore"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// sessionStore is the settings that say where sessions live.
type sessionStore struct {
	SessionStore     string `env:"SHOP_SESSION_STORE" default:"postgres" help:"Where sessions live: postgres, redis, memcached, or memory, from which they are gone when the shop closes."`
	RedisURL         string `name:"redis-url" env:"REDIS_URL" help:"Where Redis is: redis://host:6379, or rediss:// over TLS; several, separated by commas, mean a cluster; redis+sentinel://host:26379,host:26379/name the master that sentinels call so."`
	Memcached        string `env:"SHOP_MEMCACHED" help:"Where Memcached is: host:11211, or several, separated by commas, in the same order for every server of the shop."`
	SessionNamespace string `env:"SHOP_SESSION_NAMESPACE" default:"coatcheck" help:"What keys in Redis and Memcached begin with, so that others may use the same server."`

	memcached []string
}

var namespace = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// checkStore reports the first setting that is wrong, by name and value. It
// does not repeat the address of Redis, in which there may be a password.
func (s *sessionStore) checkStore() (err error) {
	switch s.SessionStore {
	case "postgres", "memory":
		return nil
	case "redis":
		if s.RedisURL == "" {
			return settingError("--redis-url (REDIS_URL)", "it is empty; --session-store redis needs an address like redis://localhost:6379")
		}
		if _, err := redisstore.Options(s.RedisURL, 0); err != nil {
			return settingError("--redis-url (REDIS_URL)", "%w; it must be like redis://host:6379, redis://host:6379,host:6379 or redis+sentinel://host:26379,host:26379/name", err)
		}
	case "memcached":
		if s.Memcached == "" {
			return settingError("--memcached (SHOP_MEMCACHED)", "it is empty; --session-store memcached needs an address like localhost:11211")
		}
		if s.memcached, err = memcachestore.Servers(s.Memcached); err != nil {
			return settingError("--memcached (SHOP_MEMCACHED)", "%w", err)
		}
	default:
		return settingError("--session-store (SHOP_SESSION_STORE)", "there is no store %q; there are: postgres, redis, memcached, memory", s.SessionStore)
	}
	if !namespace.MatchString(s.SessionNamespace) {
		return settingError("--session-namespace (SHOP_SESSION_NAMESPACE)", "%q; it must be 1 to 64 letters, digits, dots, underscores or hyphens", s.SessionNamespace)
	}
	return nil
}

// store is an opened session store.
type store struct {
	sessions.Store
	close func() error
	// sweepEvery is how often what has expired is looked for. What a store lets
	// expire by itself is looked for only to be put on record, and to read all
	// of a large Redis each minute would cost more than that is worth.
	sweepEvery time.Duration
}

// openStore opens the store that is set, and asks it something, so that a wrong
// address shows at once. The timeout is how long its server may take to answer.
func (s *sessionStore) openStore(ctx context.Context, db *pgxpool.Pool, log *slog.Logger, timeout time.Duration) (*store, error) {
	redis.SetLogger(redisLog{slog.New(slog.DiscardHandler)}) // what goes wrong now is told below
	st, err := s.newStore(db, log, timeout)
	if err != nil {
		return nil, err
	}
	if _, err := st.Load(ctx, sessions.Key{}); err != nil && !errors.Is(err, sessions.ErrNotFound) {
		return nil, errors.Join(fmt.Errorf("--session-store (SHOP_SESSION_STORE) %s: %w", s.SessionStore, err), st.close())
	}
	redis.SetLogger(redisLog{log})
	return st, nil
}

// newStore makes the store. The record is in Postgres whatever the store: what
// could not be written into it is in the log.
func (s *sessionStore) newStore(db *pgxpool.Pool, log *slog.Logger, timeout time.Duration) (*store, error) {
	r := &recorder{db: db, log: log}
	switch s.SessionStore {
	case "memory":
		return &store{memstore.New(memstore.Most, r.record), r.close, time.Minute}, nil
	case "redis":
		o, err := redisstore.Options(s.RedisURL, timeout)
		if err != nil {
			return nil, err // which checkStore has found out
		}
		st := redisstore.New(o, s.SessionNamespace, r.record)
		return &store{st, func() error { return errors.Join(st.Close(), r.close()) }, 10 * time.Minute}, nil
	case "memcached":
		st, err := memcachestore.New(s.memcached, timeout, s.SessionNamespace, r.record)
		if err != nil {
			return nil, settingError("--memcached (SHOP_MEMCACHED)", "%w", err)
		}
		return &store{st, func() error { return errors.Join(st.Close(), r.close()) }, 10 * time.Minute}, nil
	}
	return &store{pgstore.New(db), r.close, time.Minute}, nil
}

// recorder puts events on record in Postgres. What was done in another store
// has been done, so this goes on when its visitor has left, and when it takes
// longer than a visitor should wait.
type recorder struct {
	db      *pgxpool.Pool
	log     *slog.Logger
	writing sync.WaitGroup
}

func (r *recorder) record(ctx context.Context, events ...sessions.Event) {
	written := make(chan struct{})
	r.writing.Go(func() {
		defer close(written)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err := pgstore.Record(ctx, r.db, events...)
		for notSent(err) && ctx.Err() == nil {
			time.Sleep(50 * time.Millisecond)
			err = pgstore.Record(ctx, r.db, events...)
		}
		if err != nil {
			r.log.ErrorContext(ctx, "not on record", "events", events, "error", err)
		}
	})
	select {
	case <-written:
	case <-time.After(500 * time.Millisecond):
	}
}

// notSent reports whether nothing has reached Postgres, so that nothing can be
// on record twice.
func notSent(err error) bool {
	_, noConnection := errors.AsType[*pgconn.ConnectError](err)
	return noConnection || pgconn.SafeToRetry(err)
}

// close waits for what is being written.
func (r *recorder) close() error {
	r.writing.Wait()
	return nil
}

// live counts the sessions that have not expired.
func (s *store) live(ctx context.Context) (n int, err error) {
	now := time.Now()
	if pg, ok := s.Store.(interface {
		Live(context.Context, time.Time) (int, error)
	}); ok {
		return pg.Live(ctx, now)
	}
	err = s.Each(ctx, func(s sessions.Session) error {
		if s.Expired(now) == sessions.TicketLive {
			n++
		}
		return nil
	})
	return n, err
}

// redisLog is the shop's log, for the client of Redis, which tells of
// connections lost and found again.
type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.log.InfoContext(ctx, "redis", "says", fmt.Sprintf(format, v...))
}
