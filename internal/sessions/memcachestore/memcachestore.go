// Package memcachestore keeps sessions in Memcached, on one server or several,
// each of which holds a share of the keys. Every server of the shop sees the
// same sessions, a restart of the shop loses none, and what has expired goes by
// itself.
//
// Memcached is a cache, and promises less than the other stores:
//
//   - A server that restarts, or is taken off the list, forgets its share: those
//     visitors are signed out.
//   - A server that is full forgets what was used least recently, or refuses
//     what is new, if it runs with -M.
//   - It keeps no list of its keys. A list is kept in values of its own, which
//     may be forgotten too; then Each and Sweep miss sessions. Nothing that ends
//     sessions relies on it: see casstore.
//   - There is no password: whoever reaches the server reads and changes all.
//
// All servers of the shop must name the same servers in the same order.
package memcachestore

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/casstore"

	"github.com/bradfitz/gomemcache/memcache"
)

// Servers reads a list such as host:11211,host:11211.
func Servers(list string) ([]string, error) {
	servers := strings.Split(list, ",")
	for i := range servers {
		servers[i] = strings.TrimSpace(servers[i])
		if host, port, err := net.SplitHostPort(servers[i]); err != nil || host == "" || port == "" {
			return nil, fmt.Errorf("%q is not like host:11211", servers[i])
		}
	}
	return servers, nil
}

// Store is a sessions.Store in Memcached.
type Store struct {
	*casstore.Store
	client *memcache.Client
}

// New gives a store whose keys begin with a namespace and a colon. It connects
// when it is used, and waits no longer than the timeout for an answer, which
// takes a thousandth of a second, if one comes at all.
func New(servers []string, timeout time.Duration, namespace string, record sessions.Recorder) (*Store, error) {
	list := &memcache.ServerList{}
	if err := list.SetServers(servers...); err != nil {
		return nil, err
	}
	client := memcache.NewFromSelector(list)
	client.Timeout = timeout
	client.MaxIdleConns = 64
	return &Store{casstore.New(&backend{client, namespace + ":"}, commands, record), client}, nil
}

var commands = casstore.Commands{Get: "gets", Add: "add", Swap: "cas"}

// Close closes the connections.
func (st *Store) Close() error { return st.client.Close() }

// backend is Memcached as casstore sees it.
type backend struct {
	client *memcache.Client
	prefix string
}

func (m *backend) Get(ctx context.Context, keys ...string) ([]casstore.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = m.prefix + key
	}
	found, err := m.client.GetMulti(names)
	if err != nil {
		return nil, unavailable(err)
	}
	items := make([]casstore.Item, len(keys))
	for i, key := range keys {
		items[i].Key = key
		if item := found[names[i]]; item != nil {
			items[i].Value, items[i].Stamp = item.Value, item
		}
	}
	return items, nil
}

// Add is Memcached's add. Boxes are put on the list after they are filed: see
// Boxes.
func (m *backend) Add(ctx context.Context, key string, value []byte, expires time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	err := m.client.Add(&memcache.Item{Key: m.prefix + key, Value: value, Expiration: expiration(expires)})
	if errors.Is(err, memcache.ErrNotStored) {
		return false, nil
	}
	if err == nil && strings.HasPrefix(key, casstore.Box) {
		// What is not on the list is missed by a sweep, and expires all the same.
		_ = m.enlist(ctx, key)
	}
	return err == nil, unavailable(err)
}

// Swap is Memcached's cas. A value that expires at once is as good as removed.
func (m *backend) Swap(ctx context.Context, found casstore.Item, value []byte, expires time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	item := *found.Stamp.(*memcache.Item)
	item.Value, item.Expiration = value, expiration(expires)
	if value == nil {
		item.Expiration = -1
	}
	err := m.client.CompareAndSwap(&item)
	if errors.Is(err, memcache.ErrCASConflict) || errors.Is(err, memcache.ErrCacheMiss) || errors.Is(err, memcache.ErrNotStored) {
		return false, nil
	}
	return err == nil, unavailable(err)
}

// month is the longest time that Memcached takes for one. A larger number is a
// date to it, in seconds since 1970, and one in the past if a time was meant.
const month = 30 * 24 * time.Hour

func expiration(at time.Time) int32 {
	if at.IsZero() {
		return 0
	}
	if left := time.Until(at); left <= month {
		return int32(max(1, (left+time.Second-1)/time.Second))
	}
	return int32(at.Unix())
}

// pages is how many values the list of boxes is spread over, since one has room
// for a megabyte.
const pages = 256

func page(key string) string {
	return "list:" + strconv.Itoa(int(crc32.ChecksumIEEE([]byte(key))%pages))
}

// enlist writes a key at the end of its page.
func (m *backend) enlist(ctx context.Context, key string) error {
	line := &memcache.Item{Key: m.prefix + page(key), Value: []byte(key + "\n")}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := m.client.Append(line)
		if !errors.Is(err, memcache.ErrNotStored) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.client.Add(line); !errors.Is(err, memcache.ErrNotStored) { // the page is new
			return err
		}
	}
}

// Boxes reads the pages of the list, and takes off what is no more. A box that
// comes to be meanwhile is written on the page after that, so that the page has
// changed and is left as it is.
func (m *backend) Boxes(ctx context.Context, f func([]string) error) error {
	for first := 0; first < pages; first += 16 {
		var names []string
		for i := range 16 {
			names = append(names, "list:"+strconv.Itoa(first+i))
		}
		list, err := m.Get(ctx, names...)
		if err != nil {
			return err
		}
		for _, page := range list {
			if err := m.boxesOn(ctx, page, f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *backend) boxesOn(ctx context.Context, page casstore.Item, f func([]string) error) error {
	written := strings.Fields(string(page.Value))
	var there []string
	for some := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(written))), 100) {
		boxes, err := m.Get(ctx, some...)
		if err != nil {
			return err
		}
		some = some[:0]
		for _, box := range boxes {
			if box.Value != nil {
				some = append(some, box.Key)
			}
		}
		there = append(there, some...)
		if err := f(some); err != nil {
			return err
		}
	}
	if len(there) == len(written) {
		return nil
	}
	_, err := m.Swap(ctx, page, lines(there), time.Time{})
	return err
}

func lines(keys []string) []byte {
	if len(keys) == 0 {
		return nil
	}
	return []byte(strings.Join(keys, "\n") + "\n")
}

// unavailable marks what kept Memcached from its work.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: memcached: %w", sessions.ErrUnavailable, err)
}
