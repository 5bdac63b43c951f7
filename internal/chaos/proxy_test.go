package chaos_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// A proxy is the line from the shop to a store, and does to it what networks
// do.
type proxy struct {
	t    *testing.T
	addr string // where the shop finds it
	to   string // where the store is

	mu     sync.Mutex
	now    fault
	chance *rand.Rand
	listen net.Listener
	open   map[net.Conn]bool
}

// A fault is what is wrong with a line; with the zero fault, nothing.
type fault struct {
	name    string
	delay   time.Duration // by which each request to the store arrives late
	refuses bool          // nobody listens, and whoever was connected is no longer
	swallow bool          // what is sent is lost, and nobody says so; for a connection that is for ever
	breaks  bool          // in the middle of a reply; with swallow too, what follows is lost, or else the connection is reset
}

// total reports whether nothing gets through.
func (f fault) total() bool { return f.refuses || f.swallow && !f.breaks }

// proxyTo opens a line to a store.
func proxyTo(t *testing.T, store string) *proxy {
	t.Helper()
	p := &proxy{t: t, addr: "127.0.0.1:0", to: store, chance: chance(t.Name()), open: map[net.Conn]bool{}}
	p.start()
	t.Cleanup(func() { p.have(fault{refuses: true}) })
	return p
}

func (p *proxy) start() {
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.listen, p.addr = l, l.Addr().String()
	go func() {
		for {
			shop, err := l.Accept()
			if err != nil {
				return
			}
			go p.carry(shop)
		}
	}()
}

// have lets the line have another fault, or none.
func (p *proxy) have(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.now
	p.now = f
	switch {
	case f.refuses && !before.refuses:
		p.listen.Close()
		for conn := range p.open {
			reset(conn)
		}
	case !f.refuses && before.refuses:
		p.start()
	}
}

func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// carry connects the shop to the store, both ways.
func (p *proxy) carry(shop net.Conn) {
	defer reset(shop)
	store, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer reset(store)
	p.mu.Lock()
	p.open[shop] = true
	refuses := p.now.refuses
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, shop)
	}()
	if refuses {
		return
	}
	var lost sync.Once
	silent := make(chan struct{}) // closed: this connection swallows all
	lose := func() { lost.Do(func() { close(silent) }) }
	go func() {
		defer reset(shop)
		p.pass(store, shop, silent, lose, true)
	}()
	p.pass(shop, store, silent, lose, false)
}

// pass carries one way until a connection ends.
func (p *proxy) pass(from, to net.Conn, silent chan struct{}, lose func(), replies bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		f, cut := p.meet(n)
		if !replies && f.delay > 0 {
			time.Sleep(f.delay)
		}
		if f.swallow && !f.breaks {
			lose()
		}
		select {
		case <-silent:
			_, _ = io.Copy(io.Discard, from)
			return
		default:
		}
		if !f.breaks || !replies {
			cut = n
		}
		if _, err := to.Write(buf[:cut]); err != nil {
			return
		}
		switch {
		case cut == n:
		case f.swallow:
			lose()
		default:
			return
		}
	}
}

// meet says what is wrong now, and where a message of n bytes is to break.
func (p *proxy) meet(n int) (fault, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, p.chance.IntN(n)
}

// A line that is whole is not noticed.
func TestProxyCarriesAndBreaks(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); conn.Close() }()
		}
	}()
	p := proxyTo(t, l.Addr().String())
	// say gives what comes back of a word within a moment.
	say := func(word string) (string, error) {
		conn, err := net.Dial("tcp", p.addr)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, word); err != nil {
			return "", err
		}
		_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		back := make([]byte, len(word))
		n, err := io.ReadFull(conn, back)
		return string(back[:n]), err
	}
	const word = "camel-overcoat"
	late := func(err error) bool { timeout, ok := errors.AsType[net.Error](err); return ok && timeout.Timeout() }
	for _, c := range []struct {
		fault
		want func(back string, err error) bool
	}{
		{fault{}, func(back string, err error) bool { return back == word && err == nil }},
		{fault{delay: 10 * time.Millisecond}, func(back string, err error) bool { return back == word && err == nil }},
		{fault{delay: time.Second}, func(back string, err error) bool { return back == "" && late(err) }},
		{fault{swallow: true}, func(back string, err error) bool { return back == "" && late(err) }},
		{fault{breaks: true}, func(back string, err error) bool { return back != word && err != nil && !late(err) }},
		{fault{breaks: true, swallow: true}, func(back string, err error) bool { return back != word && late(err) }},
		{fault{refuses: true}, func(back string, err error) bool { return back == "" && err != nil && !late(err) }},
		{fault{}, func(back string, err error) bool { return back == word && err == nil }},
	} {
		p.have(c.fault)
		if back, err := say(word); !c.want(back, err) {
			t.Errorf("with %+v, %q comes back, %v", c.fault, back, err)
		}
	}
}
