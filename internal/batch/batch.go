// Package batch joins look-ups that many requests make at the same time into
// one. (Others call such a thing a data loader.)
//
// A look-up by key costs Postgres little; what it costs to be asked and to
// answer, on either side, is many times that. So those who come while earlier
// ones are being looked up wait for one another, and then go together. When
// nobody else is there, nobody waits: the more there is to do, the cheaper it
// gets.
//
// Nothing is kept. A look-up begins after all whom it is for have come, so what
// it finds is as true for each of them as if they had asked alone: a session
// that was ended before a request came is not found by that request. That is
// what tells it from a cache, and from joining a look-up that is under way (as
// package singleflight does).
package batch

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// most is how many look-ups are under way at a time. While one waits for the
// server to answer, another can be on its way; with more, fewer would share one.
const most = 2

// Loader joins look-ups of values V by keys K. It is safe for concurrent use.
type Loader[K comparable, V any] struct {
	find  func(ctx context.Context, keys []K) (map[K]V, error)
	limit time.Duration

	mu       sync.Mutex
	waiting  *group[K, V] // who goes next; nil if nobody does
	underWay int
}

// A group is those who go together.
type group[K comparable, V any] struct {
	keys  []K
	done  chan struct{} // closed when there is an answer
	found map[K]V
	err   error
}

// New makes a Loader. What find gives has no entry for a key that there is
// nothing under; the same key may be asked for twice at once. It belongs to
// several requests, so it ends with none of them, but after limit.
func New[K comparable, V any](limit time.Duration, find func(ctx context.Context, keys []K) (map[K]V, error)) *Loader[K, V] {
	return &Loader[K, V]{find: find, limit: limit}
}

// Load gives the value under a key; ok says whether there is one. Its errors
// are those of find, and of ctx.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (v V, ok bool, err error) {
	g := l.join(key)
	select {
	case <-g.done:
		v, ok = g.found[key]
		return v, ok, g.err
	case <-ctx.Done():
		return v, false, ctx.Err()
	}
}

// join adds a key to the group that goes next.
func (l *Loader[K, V]) join(key K) *group[K, V] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting = &group[K, V]{done: make(chan struct{})}
	}
	g := l.waiting
	g.keys = append(g.keys, key)
	if l.underWay < most {
		l.underWay++
		go l.run()
	}
	return g
}

// run looks up one group after the other until nobody waits.
func (l *Loader[K, V]) run() {
	for {
		runtime.Gosched() // lets those come who are about to
		g := l.next()
		if g == nil {
			return
		}
		l.ask(g)
	}
}

// next takes the group that goes next. From now on nobody can join it.
func (l *Loader[K, V]) next() *group[K, V] {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.waiting
	l.waiting = nil
	if g == nil {
		l.underWay--
	}
	return g
}

// ask looks a group up. It is no request's own goroutine, so a panic would end
// the whole program; here it is an error of those whom it is for.
func (l *Loader[K, V]) ask(g *group[K, V]) {
	ctx, cancel := context.WithTimeout(context.Background(), l.limit)
	defer cancel()
	defer close(g.done)
	defer func() {
		if p := recover(); p != nil {
			g.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	g.found, g.err = l.find(ctx, g.keys)
}
