package chaos_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

// A way to be slow over a connection, and when the shop ends it at the latest:
// by the limits of newServer in cmd/shop, and a second for whoever looks.
type slowness struct {
	name   string
	says   string // at once
	drips  bool   // goes on saying a byte at a time; or else listens a byte at a time
	atMost time.Duration
}

var slownesses = []slowness{
	{"headers", "GET / HTTP/1.1\r\nHost: shop\r\nX-Slow: ", true, 6 * time.Second},
	{"a form", "POST /cart/items HTTP/1.1\r\nHost: shop\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\nproduct=", true, 16 * time.Second},
	{"answers", "", false, 31 * time.Second}, // asks for much, at once
}

// Slowloris: a thousand connections that are as slow as can be, each kept for
// as long as the shop lets it, and then begun anew. Everybody else is served as
// if they were not there.
func TestSlowConnectionsHoldUpNobody(t *testing.T) {
	if !*long {
		t.Parallel()
	}
	b := openBooks(t, pgtest.EmptyURL(t), 10)
	shop := process.Open(t, append(unthrottled, "DATABASE_URL="+b.url)...)
	v := invite(t, shop.URL, b, 10, whole(100, 50))
	connections := whole(1000, 150)

	calm := v.visitFor(whole(20*time.Second, time.Second))
	s := beSlow(t, shop, connections)
	attacked := v.visitFor(whole(time.Minute, 1500*time.Millisecond))
	s.stop()
	if !*long {
		t.Logf("figures: %d slow connections; visitors in calm %v; beside them %v", connections, calm, attacked)
		if most := percentile(attacked.each, 0.95); most > 2*time.Second {
			t.Errorf("beside slow connections one of twenty has waited for more than %v", most)
		}
		return
	}
	calm = calm.and(v.visitFor(20 * time.Second))
	t.Logf("figures: %d slow connections at a time, %d in all, none longer than %s; 100 visitors a second, in calm %v; beside them %v",
		connections, s.begun.Load(), s.longest(), calm, attacked)
	atMostDouble(t, calm, attacked, "slow connections")
}

// slow is a number of slow connections to a shop.
type slow struct {
	t     *testing.T
	shop  *process.Shop
	asset string // address of a large file
	begun atomic.Int64
	end   context.CancelFunc
	gone  sync.WaitGroup

	mu   sync.Mutex
	held [3]time.Duration // the longest for which the shop has kept one, by slowness
}

// beSlow returns when so many connections are open. They begin one after the
// other, two hundred a second, and so do not all end at the same moment.
func beSlow(t *testing.T, shop *process.Shop, connections int) *slow {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &slow{t: t, shop: shop, asset: asset(t, shop.URL), end: cancel}
	t.Cleanup(s.stop)
	for i := range connections {
		pace := chance(t.Name() + name(i))
		s.gone.Go(func() {
			time.Sleep(time.Duration(i) * 5 * time.Millisecond)
			for ctx.Err() == nil && !t.Failed() {
				s.hold(ctx, i%len(slownesses), pace)
			}
		})
	}
	until(t, "they are connected", func() bool { return s.begun.Load() >= int64(connections) })
	return s
}

func (s *slow) stop() {
	s.end()
	s.gone.Wait()
}

// asset is the address of the shop's largest file.
func asset(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, _ := io.ReadAll(answer.Body)
	_, rest, found := strings.Cut(string(page), `rel="stylesheet" href="`)
	address, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatal("the page has no stylesheet")
	}
	return address
}

// hold keeps one connection until the shop closes it.
func (s *slow) hold(ctx context.Context, kind int, pace *rand.Rand) {
	how := slownesses[kind]
	d := net.Dialer{Timeout: tooLong, Control: small}
	conn, err := d.DialContext(ctx, "tcp", s.shop.Addr)
	if err != nil {
		if ctx.Err() == nil {
			s.t.Errorf("the shop lets nobody in: %v", err)
		}
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	from := time.Now()
	says := how.says
	if !how.drips {
		says = strings.Repeat("GET "+s.asset+" HTTP/1.1\r\nHost: shop\r\n\r\n", 50)
	}
	_, err = io.WriteString(conn, says)
	s.begun.Add(1)
	for err == nil && time.Since(from) < how.atMost {
		// To wait for an answer is to notice when there will be none.
		if err = conn.SetReadDeadline(time.Now().Add(200*time.Millisecond + time.Duration(pace.Int64N(int64(800*time.Millisecond))))); err == nil {
			_, err = conn.Read(make([]byte, 1))
		}
		switch timeout, ok := err.(net.Error); {
		case !how.drips && err == nil:
			time.Sleep(time.Duration(pace.Int64N(int64(time.Second))))
		case how.drips && ok && timeout.Timeout():
			_, err = conn.Write([]byte("a"))
		}
	}
	if ctx.Err() != nil {
		return // it was we who closed it
	}
	if err == nil { // what is still on its way is the end of it, if it was closed
		err = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if err == nil {
			_, err = io.Copy(io.Discard, conn)
		}
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() && ctx.Err() == nil {
			s.t.Errorf("the shop has not ended a connection over which %s came slowly for %v", how.name, time.Since(from))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[kind] = max(s.held[kind], time.Since(from))
}

// small makes a connection that takes little at a time, so that what is sent
// to it stays with the shop until it is read.
func small(_, _ string, c syscall.RawConn) (err error) {
	_ = c.Control(func(fd uintptr) {
		if err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1); err == nil {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536)
		}
	})
	return err
}

func (s *slow) longest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var parts []string
	for i, how := range slownesses {
		parts = append(parts, s.held[i].Round(100*time.Millisecond).String()+" ("+how.name+")")
	}
	return strings.Join(parts, ", ")
}
