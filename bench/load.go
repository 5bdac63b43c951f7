package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A client is one browser's connection. It knows as much of HTTP as it needs,
// so that the time of the machine's cores goes to those that are measured.
type client struct {
	conn net.Conn
	from *bufio.Reader
}

func dial(addr string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn, bufio.NewReaderSize(conn, 32<<10)}, nil
}

// do sends a request, reads the whole answer, and gives its status.
func (c *client) do(request []byte) (status int, err error) {
	if _, err := c.conn.Write(request); err != nil {
		return 0, err
	}
	length := -1
	for first := true; ; first = false {
		line, err := c.from.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first {
			if len(line) < 12 {
				return 0, fmt.Errorf("no status: %q", line)
			}
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, err
			}
			continue
		}
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, fmt.Errorf("status %d without Content-Length", status)
	}
	_, err = c.from.Discard(length)
	return status, err
}

// A load says who asks for what, and how.
type load struct {
	addr     string
	request  func(b []byte, visitor int) []byte // appends the request to b
	status   int                                // that each answer must have
	visitors int                                // of whom each request takes one
	inOrder  bool                               // each visitor once, rather than any
	first    int                                // visitor of these
	clients  int
	warm     time.Duration // before the measuring
	length   time.Duration // of the measuring
	rate     float64       // requests a second; 0: each client asks as soon as it has its answer
	seed     uint64

	measuring func() error // called when the measuring begins
	measured  func() error // and ends
}

// outcome is what came of a load.
type outcome struct {
	all       int             // requests, those before the measuring too
	latencies []time.Duration // of those measured, sorted
	took      time.Duration
}

// run puts the load on a contestant. An answer that is not as it must be ends it
// with an error.
//
// At a fixed rate, each request has a time at which it is due, however long the
// earlier ones take, and its latency counts from then on: who is made to wait
// because somebody else is slow has waited, too. (To leave that out is called
// coordinated omission.)
func (l *load) run(ctx context.Context) (outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type part struct {
		all       int
		latencies []time.Duration
	}
	parts := make([]part, l.clients)
	begin := time.Now()
	from := begin.Add(l.warm)
	until := from.Add(l.length)
	var clients sync.WaitGroup
	for n := range l.clients {
		clients.Go(func() {
			c, err := dial(l.addr)
			if err != nil {
				cancel(err)
				return
			}
			defer c.conn.Close()
			p := &parts[n]
			p.latencies = make([]time.Duration, 0, 1<<16)
			random := rand.New(rand.NewPCG(l.seed, uint64(n)))
			request := make([]byte, 0, 1024)
			for i := 0; ctx.Err() == nil; i++ {
				start := time.Now()
				if l.rate > 0 {
					turn := float64(i*l.clients + n)
					start = begin.Add(time.Duration(turn / l.rate * float64(time.Second)))
					if early := time.Until(start); early > 0 {
						time.Sleep(early)
						start = time.Now() // that it oversleeps, by a millisecond at times, is nobody's fault
					}
				}
				if !start.Before(until) {
					return
				}
				visitor := 1 + random.IntN(l.visitors)
				if l.inOrder {
					if visitor = l.first + i*l.clients + n; visitor > l.visitors {
						cancel(fmt.Errorf("after %d requests there are no more visitors", i*l.clients))
						return
					}
				}
				request = l.request(request[:0], visitor)
				status, err := c.do(request)
				if err == nil && status != l.status {
					err = fmt.Errorf("the answer is %d", status)
				}
				if err != nil {
					cancel(fmt.Errorf("request %d: %w:\n%s", i, err, request))
					return
				}
				p.all++
				end := time.Now()
				counts := !start.Before(from) // all that were due are waited for
				if l.rate == 0 {
					counts = end.After(from) && !end.After(until)
				}
				if counts {
					p.latencies = append(p.latencies, end.Sub(start))
				}
			}
		})
	}
	time.Sleep(time.Until(from))
	if err := call(l.measuring); err != nil {
		cancel(err)
	}
	time.Sleep(time.Until(until))
	if err := call(l.measured); err != nil {
		cancel(err)
	}
	clients.Wait()
	o := outcome{took: l.length}
	for _, p := range parts {
		o.all += p.all
		o.latencies = append(o.latencies, p.latencies...)
	}
	slices.Sort(o.latencies)
	if err := context.Cause(ctx); err != nil {
		return o, err
	}
	if len(o.latencies) == 0 {
		return o, fmt.Errorf("no request was answered in time")
	}
	return o, nil
}

func call(f func() error) error {
	if f == nil {
		return nil
	}
	return f()
}

// rate is how many requests were answered in a second.
func (o outcome) rate() float64 { return float64(len(o.latencies)) / o.took.Seconds() }

// quantile is the latency that a share of the requests did not exceed.
func (o outcome) quantile(share float64) time.Duration {
	return o.latencies[min(len(o.latencies)-1, int(share*float64(len(o.latencies))))]
}

// get and post append a request as a browser would send it.
func get(path string, ticket func(int) string) func([]byte, int) []byte {
	return func(b []byte, visitor int) []byte {
		b = append(b, "GET "...)
		b = append(b, path...)
		return append(headers(b, ticket, visitor), "\r\n"...)
	}
}

func post(path, form string, ticket func(int) string) func([]byte, int) []byte {
	return func(b []byte, visitor int) []byte {
		b = append(b, "POST "...)
		b = append(b, path...)
		b = headers(b, ticket, visitor)
		b = append(b, "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(form)), 10)
		b = append(b, "\r\n\r\n"...)
		return append(b, form...)
	}
}

// headers leaves Accept-Encoding out: of all contestants, only the shop would
// compress its pages.
func headers(b []byte, ticket func(int) string, visitor int) []byte {
	b = append(b, " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: text/html\r\n"...)
	if ticket != nil {
		b = append(b, "Cookie: "...)
		b = append(b, ticket(visitor)...)
		b = append(b, "\r\n"...)
	}
	return b
}
