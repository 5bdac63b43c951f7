package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A scenario is what all of some contestants are asked for.
type scenario struct {
	name        string
	request     func(ticket func(int) string) func([]byte, int) []byte
	page        string // that is compared before, "" for none
	visitor     int    // who gets it
	status      int
	rate        float64                                // requests a second; 0: as many as can be had
	touching    bool                                   // each request comes after a long pause
	before      func(context.Context, *pgx.Conn) error // each turn, if not nil
	contestants []*contestant
}

var (
	catalogue = func(ticket func(int) string) func([]byte, int) []byte { return get("/", ticket) }
	noTicket  = func(func(int) string) func([]byte, int) []byte { return get("/", nil) }
	cartPage  = func(ticket func(int) string) func([]byte, int) []byte { return get("/cart", ticket) }
	addition  = func(ticket func(int) string) func([]byte, int) []byte {
		return post("/cart/items", "product=camel-overcoat&quantity=1", ticket)
	}
)

var scenarios = []*scenario{
	{name: "GET /, signed in", request: catalogue, page: "/", visitor: 1, status: 200,
		contestants: []*contestant{withSCS, theShop, withGorilla, oneSelect}},
	{name: "GET /cart", request: cartPage, page: "/cart", visitor: 1, status: 200,
		contestants: []*contestant{withSCS, theShop, withGorilla}},
	{name: "POST /cart/items", request: addition, status: 303, before: takeOut,
		contestants: []*contestant{withSCS, theShop, withGorilla}},
	{name: "GET /, without a ticket", request: noTicket, page: "/", visitor: nobody, status: 200,
		contestants: []*contestant{withSCS, theShop, fixedBytes}},
	{name: "GET /, 800 requests a second", request: catalogue, status: 200, rate: 800,
		contestants: []*contestant{withSCS, theShop, withGorilla, oneSelect}},
	{name: "GET /, 6000 requests a second", request: catalogue, status: 200, rate: 6000,
		contestants: []*contestant{theShop, oneSelect}},
	// The last one, because it leaves the shop's sessions changed.
	{name: "GET /, each a touch", request: catalogue, status: 200, touching: true, before: pause,
		contestants: []*contestant{withSCS, theShop}},
}

// A result is what came of one contestant in one scenario, a value a round.
type result struct {
	scenario             *scenario
	contestant           *contestant
	rate, p50, p99       sample // a second; milliseconds
	rows, wal, hot       sample // a request; bytes a request; share of the updates
	shopCPU, postgresCPU sample // microseconds a request
	statements           float64
	againstSCS           sample // ratio of the rates, round by round
}

type bench struct {
	database string
	meter    *meter
}

var secondsLeft = regexp.MustCompile(`data-seconds="[0-9]+"`)

// check compares the contestants' pages: they must do the same work.
func (b *bench) check(ctx context.Context, s *scenario) error {
	if s.page == "" {
		return nil
	}
	var first string
	for _, c := range s.contestants {
		if c == oneSelect {
			continue
		}
		r, err := c.start(ctx, b.database)
		if err != nil {
			return err
		}
		page, err := r.page(s.page, s.visitor)
		if err := r.stop(); err != nil {
			return err
		}
		if err != nil {
			return err
		}
		page = secondsLeft.ReplaceAllString(page, "") // the peers do not know when their sessions end
		if first == "" {
			first = page
			fmt.Printf("%s: a page of %d bytes\n", s.name, len(page))
		}
		if page != first {
			return fmt.Errorf("%s: the page of %s is another one (%d bytes):\n%s\nthan that of %s (%d bytes):\n%s",
				s.name, c.name, len(page), page, s.contestants[0].name, len(first), first)
		}
	}
	return nil
}

func (b *bench) run(ctx context.Context, s *scenario) ([]*result, error) {
	var results []*result
	for _, c := range s.contestants {
		if strings.Contains(c.name, *who) {
			results = append(results, &result{scenario: s, contestant: c})
		}
	}
	for round := range *rounds {
		for i := range results {
			// Who begins changes from round to round.
			if err := b.turn(ctx, results[(i+round)%len(results)], round); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range results {
		if first := results[0]; first.contestant == withSCS && s.rate == 0 {
			r.againstSCS = r.rate.over(first.rate)
		}
	}
	return results, nil
}

// turn is one contestant's round.
func (b *bench) turn(ctx context.Context, r *result, round int) error {
	s := r.scenario
	if err := b.prepare(ctx, s); err != nil {
		return err
	}
	rowsBefore, err := b.meter.rowsWritten(ctx)
	if err != nil {
		return err
	}
	c, err := r.contestant.start(ctx, b.database)
	if err != nil {
		return err
	}
	l := &load{
		addr: c.addr, request: s.request(c.remembered()), status: s.status, visitors: *visitors, inOrder: s.touching, first: 1,
		clients: *clients, warm: *warm, length: *length, rate: s.rate, seed: uint64(round),
	}
	var cpu [2]cpu
	var wal [2]int64
	read := func(i int) func() error {
		return func() (err error) {
			if cpu[i], err = b.meter.cpu(c.cmd.Process.Pid); err != nil {
				return err
			}
			wal[i], err = b.meter.wal(ctx)
			return err
		}
	}
	l.measuring, l.measured = read(0), read(1)
	o, err := l.run(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", r.contestant.name, err), c.stop())
	}
	all, n := o.all, float64(len(o.latencies))
	if round == *rounds-1 {
		logged := *l
		logged.warm, logged.length, logged.measuring, logged.measured = 0, 300*time.Millisecond, nil, nil
		logged.first += all + *clients // who has not come yet
		var lo outcome
		count, err := b.meter.statements(ctx, func() (err error) { lo, err = logged.run(ctx); return err })
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", r.contestant.name, err), c.stop())
		}
		r.statements = float64(count) / float64(lo.all)
		all += lo.all
	}
	if err := c.stop(); err != nil {
		return err
	}
	rowsAfter, err := b.meter.rowsWritten(ctx)
	if err != nil {
		return err
	}
	rows := rowsAfter.since(rowsBefore)
	r.rate = append(r.rate, o.rate())
	r.p50 = append(r.p50, milliseconds(o.quantile(0.50)))
	r.p99 = append(r.p99, milliseconds(o.quantile(0.99)))
	r.rows = append(r.rows, float64(rows.written)/float64(all))
	r.wal = append(r.wal, float64(wal[1]-wal[0])/n)
	if rows.updated > 0 {
		r.hot = append(r.hot, float64(rows.inPlace)/float64(rows.updated))
	}
	used := cpu[1].since(cpu[0])
	r.shopCPU = append(r.shopCPU, float64(used.contestant.Microseconds())/n)
	r.postgresCPU = append(r.postgresCPU, float64(used.postgres.Microseconds())/n)
	return nil
}

// prepare does what comes before each turn, on a connection of its own, which
// has reported what it wrote when it is closed.
func (b *bench) prepare(ctx context.Context, s *scenario) error {
	if s.before == nil {
		return nil
	}
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return s.before(ctx, conn)
}

// pause makes the sessions anew, the shop's as they are after a pause: the idle
// deadline is so near that the next request moves it. (scs moves it each time.)
func pause(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, `TRUNCATE sessions, scs.sessions`); err != nil {
		return err
	}
	err := errors.Join(fillShop(ctx, conn, *visitors, time.Now().Add(15*time.Minute)), fillSCS(ctx, conn, *visitors))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `VACUUM ANALYZE sessions, scs.sessions`)
	return err
}

// takeOut leaves one piece of each product in a cart, which has a bound: some
// visitors come more often than others.
func takeOut(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, `UPDATE cart_items SET quantity = 1 WHERE quantity > 1`); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, `VACUUM ANALYZE cart_items`)
	return err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
