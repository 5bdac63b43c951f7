// Package redisstore keeps sessions in Redis: one server, one that sentinels
// watch over, or a cluster. Every server of the shop sees the same sessions,
// a restart of the shop loses none, and what has expired goes by itself.
//
// What it cannot promise: Redis writes to disk later than it answers, unless it
// is set to "appendfsync always", and a replica hears of a change after the
// client does. So a crash or a failover may forget the last second: who has
// signed in then is signed out, and, worse, a session that was ended then is
// back, until it expires. A Redis that evicts when it is full
// (maxmemory-policy other than noeviction) signs visitors out.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/casstore"

	"github.com/redis/go-redis/v9"
)

// Options makes of an address what a client needs. The timeout is how long Redis
// may take to answer; it takes a thousandth of a second, if it answers at all.
//
//	redis://user:password@host:6379/0         one server; rediss:// over TLS
//	redis://host:6379,host:6379               a cluster, by some of its nodes
//	redis+sentinel://host:26379,host:26379/m  the master that sentinels call m
//
// Its errors do not repeat the address, in which there may be a password.
func Options(address string, timeout time.Duration) (*redis.UniversalOptions, error) {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		scheme, rest = "redis", address
	}
	o := &redis.UniversalOptions{
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout,
		ContextTimeoutEnabled: true,
		// A command whose answer was lost may have been carried out, so it is
		// not sent again.
		MaxRetries: -1, DialerRetries: 1,
	}
	if scheme == "redis+sentinel" {
		scheme = "redis"
		if rest, o.MasterName, _ = strings.Cut(rest, "/"); o.MasterName == "" {
			return nil, errors.New("it does not end in /name, the name that sentinels call the master by")
		}
	}
	first, others, several := strings.Cut(rest, ",")
	parsed, err := redis.ParseURL(scheme + "://" + first)
	if _, ok := errors.AsType[*url.Error](err); ok {
		err = errors.New("it is no address")
	}
	if err == nil && first == "" {
		err = errors.New("it names no server")
	}
	if err != nil {
		return nil, err
	}
	o.Addrs, o.Username, o.Password, o.DB, o.TLSConfig = []string{parsed.Addr}, parsed.Username, parsed.Password, parsed.DB, parsed.TLSConfig
	if o.MasterName != "" {
		o.SentinelUsername, o.SentinelPassword = o.Username, o.Password
	}
	if !several {
		return o, nil
	}
	for host := range strings.SplitSeq(others, ",") {
		host = strings.TrimPrefix(strings.TrimSpace(host), scheme+"://")
		if name, port, err := net.SplitHostPort(host); err != nil || name == "" || strings.Trim(port, "0123456789") != "" {
			return nil, errors.New("what comes after a comma is not like host:6379")
		}
		o.Addrs = append(o.Addrs, host)
	}
	return o, nil
}

// Store is a sessions.Store in Redis.
type Store struct {
	*casstore.Store
	client redis.UniversalClient
}

// New gives a store whose keys begin with a namespace and a colon. It connects
// when it is used.
func New(o *redis.UniversalOptions, namespace string, record sessions.Recorder) *Store {
	client := redis.NewUniversalClient(o)
	return &Store{casstore.New(&backend{client, namespace + ":"}, commands, record), client}
}

var commands = casstore.Commands{Get: "GET", Add: "SET … NX", Swap: "EVALSHA compare-and-swap"}

// Close closes the connections.
func (st *Store) Close() error { return st.client.Close() }

// backend is Redis as casstore sees it. Each command is about one key, so in a
// cluster each goes to one node; and several in one round trip go to all of
// their nodes at once.
type backend struct {
	client redis.UniversalClient
	prefix string
}

func (r *backend) Get(ctx context.Context, keys ...string) ([]casstore.Item, error) {
	commands := make([]*redis.StringCmd, len(keys))
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			commands[i] = p.Get(ctx, r.prefix+key)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, unavailable(err)
	}
	items := make([]casstore.Item, len(keys))
	for i, key := range keys {
		value, err := commands[i].Bytes()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, unavailable(err)
		}
		items[i] = casstore.Item{Key: key, Value: value}
	}
	return items, nil
}

// once is a command that is not sent again when its answer is lost: it may have
// been carried out, and what it put there may have been ended since.
// (Client.MaxRetries does not say so to a cluster.)
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

func (r *backend) do(ctx context.Context, args ...any) *redis.Cmd {
	cmd := redis.NewCmd(ctx, args...)
	_ = r.client.Process(ctx, once{cmd}) // the command has the error
	return cmd
}

// Add sets a key that is not in use.
func (r *backend) Add(ctx context.Context, key string, value []byte, expires time.Time) (bool, error) {
	args := []any{"SET", r.prefix + key, value, "NX"}
	if !expires.IsZero() {
		args = append(args, "PX", milliseconds(expires))
	}
	err := r.do(ctx, args...).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, unavailable(err)
}

// swap sets a key to another value if it has the one that was read; to nothing,
// if the new one is empty. Redis runs a script in one step.
const swap = `
	if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
	if ARGV[2] == '' then redis.call('DEL', KEYS[1]); return 1 end
	if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2]); return 1 end
	redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]); return 1`

var swapHash = redis.NewScript(swap).Hash()

// Swap compares whole values. That one may have changed and changed back does
// not matter: all that is known of a session is in the value.
func (r *backend) Swap(ctx context.Context, found casstore.Item, value []byte, expires time.Time) (bool, error) {
	var left int64
	if !expires.IsZero() {
		left = milliseconds(expires)
	}
	args := []any{"EVALSHA", swapHash, 1, r.prefix + found.Key, found.Value, value, left}
	cmd := r.do(ctx, args...)
	if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") { // the first time, and after a restart of Redis
		args[0], args[1] = "EVAL", swap
		cmd = r.do(ctx, args...)
	}
	done, err := cmd.Int()
	return done == 1, unavailable(err)
}

// milliseconds is how long there is left until a time; not nothing.
func milliseconds(until time.Time) int64 { return max(1, time.Until(until).Milliseconds()) }

// Boxes asks each master to go through its keys.
func (r *backend) Boxes(ctx context.Context, f func([]string) error) error {
	cluster, ok := r.client.(*redis.ClusterClient)
	if !ok {
		return r.scan(ctx, r.client, f)
	}
	// All masters at once, but f one at a time, and not again after an error.
	var one sync.Mutex
	var failed error
	return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		return r.scan(ctx, master, func(keys []string) error {
			one.Lock()
			defer one.Unlock()
			if failed == nil {
				failed = f(keys)
			}
			return failed
		})
	})
}

// scan finds every key that is there from its beginning to its end.
func (r *backend) scan(ctx context.Context, node redis.Cmdable, f func([]string) error) error {
	var cursor uint64
	for {
		keys, next, err := node.Scan(ctx, cursor, r.prefix+casstore.Box+"*", 1000).Result()
		if err != nil {
			return unavailable(err)
		}
		for i := range keys {
			keys[i] = strings.TrimPrefix(keys[i], r.prefix)
		}
		if len(keys) > 0 {
			if err := f(keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// unavailable marks what kept Redis from its work. A request that was broken
// off is another thing.
func unavailable(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the connection was closed")
	}
	return fmt.Errorf("%w: redis: %w", sessions.ErrUnavailable, err)
}
