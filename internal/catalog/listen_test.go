package catalog_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/catalog"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A listener is a catalogue that hears of changes, on a clock that stands still.
type listener struct {
	*catalog.Catalogue
	t      *testing.T
	db     *pgxpool.Pool
	asked  *counter
	mu     sync.Mutex
	time   time.Time
	failed []error
}

func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{t: t, asked: &counter{}, time: time.Now()}
	l.db = pgtest.NewTraced(t, l.asked)
	if err := catalog.Seed(t.Context(), l.db); err != nil {
		t.Fatal(err)
	}
	l.Catalogue = catalog.New(l.db, time.Minute, func() time.Time {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.time
	})
	ctx, stop := context.WithCancel(context.WithValue(t.Context(), ofListening{}, true))
	var listening sync.WaitGroup
	listening.Go(func() {
		l.Listen(ctx, func(err error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.failed = append(l.failed, err)
		})
	})
	t.Cleanup(func() { stop(); listening.Wait() })
	l.until("it hears", l.Known)
	return l
}

func (l *listener) until(what string, is func() bool) {
	l.t.Helper()
	for begun := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			l.t.Fatalf("it never came to be that %s", what)
		}
	}
}

func (l *listener) exec(sql string) {
	l.t.Helper()
	if _, err := l.db.Exec(context.WithValue(l.t.Context(), ofListening{}, true), sql); err != nil {
		l.t.Fatal(err)
	}
}

func (l *listener) stock(slug string) int {
	l.t.Helper()
	rail, err := l.Rail(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	if p := rail.Product(slug); p != nil {
		return p.Stock
	}
	return -1
}

// counter counts what is asked by whoever wants the products, and how often the
// listener reads them.
type counter struct {
	mu       sync.Mutex
	n, reads int
}

type ofListening struct{}

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Value(ofListening{}) == nil {
		c.n++
	} else if strings.Contains(q.SQL, "FROM products") {
		c.reads++
	}
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *counter) readings() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads
}

func TestListenerHearsOfEveryKindOfChangeWithoutAsking(t *testing.T) {
	t.Parallel()
	l := listen(t)
	before := l.asked.count()
	for i, c := range []struct {
		sql  string
		slug string
		want int
	}{
		{`UPDATE products SET stock = 7 WHERE slug = 'camel-overcoat'`, "camel-overcoat", 7},
		{`UPDATE products SET stock = 6 WHERE slug = 'camel-overcoat'`, "camel-overcoat", 6},
		{`INSERT INTO products (slug, name, category, description, price_cents, stock) VALUES ('cape', 'Cape', 'Coats', '', 1, 3)`, "cape", 3},
		{`DELETE FROM products WHERE slug = 'cape'`, "cape", -1},
		{`TRUNCATE products CASCADE`, "camel-overcoat", -1},
	} {
		begun := time.Now()
		l.exec(c.sql)
		l.until(fmt.Sprintf("change %d shows", i), func() bool { return l.stock(c.slug) == c.want })
		if took := time.Since(begun); took > catalog.Freshness {
			t.Errorf("%s shows after %v, want %v at most", c.sql, took, catalog.Freshness)
		}
	}
	if n := l.asked.count() - before; n != 0 {
		t.Errorf("it has asked %d times for what it has heard", n)
	}
}

// In a rush it hears of every sale, and need not read the products that often.
func TestListenerKeepsUpWithARush(t *testing.T) {
	t.Parallel()
	l := listen(t)
	before, begun := l.asked.readings(), time.Now()
	for range 500 {
		l.exec(`UPDATE products SET stock = stock + 1 WHERE slug = 'camel-overcoat'`)
	}
	l.exec(`UPDATE products SET stock = 4711 WHERE slug = 'camel-overcoat'`)
	last := time.Now()
	l.until("the last change shows", func() bool { return l.stock("camel-overcoat") == 4711 })
	if took := time.Since(last); took > catalog.Freshness {
		t.Errorf("the last change shows after %v, want %v at most", took, catalog.Freshness)
	}
	took := time.Since(begun)
	if reads, most := l.asked.readings()-before, int(took/(20*time.Millisecond))+2; reads > most {
		t.Errorf("it has read the products %d times in %v, want %d times at most", reads, took, most)
	}
}

// Somebody may have switched the trigger off, or a proxy may lead what is
// listened on and what is notified to two servers' connections.
func TestListenerThatIsNotToldFindsOut(t *testing.T) {
	t.Parallel()
	l := listen(t)
	l.exec(`ALTER TABLE products DISABLE TRIGGER USER`)
	before := l.asked.count()
	for stock := range 3 {
		l.exec(fmt.Sprintf(`UPDATE products SET stock = %d WHERE slug = 'camel-overcoat'`, stock))
		begun := time.Now()
		l.until("the change shows", func() bool { return l.stock("camel-overcoat") == stock })
		if took := time.Since(begun); took > catalog.Freshness {
			t.Errorf("the change shows after %v, want %v at most", took, catalog.Freshness)
		}
	}
	if n := l.asked.count() - before; n != 0 {
		t.Errorf("it has asked %d times, want never", n)
	}
}

// What is kept of a Rail stays good while no product changes.
func TestRailStaysTheSameWhileNothingChanges(t *testing.T) {
	t.Parallel()
	l := listen(t)
	rail, err := l.Rail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := l.asked.readings()
	l.until("it has read the products again", func() bool { return l.asked.readings() >= before+2 })
	if again, err := l.Rail(t.Context()); again != rail || err != nil {
		t.Errorf("there is another Rail, %v, although nothing has changed", err)
	}
}

// A connection that breaks is told of, and replaced. Meanwhile, or when what is
// known has not been confirmed for too long, it asks.
func TestListenerThatHearsNothingAsks(t *testing.T) {
	t.Parallel()
	for name, deafen := range map[string]func(*listener) (mend func()){
		"its connection has ended": func(l *listener) func() {
			l.exec(`
				SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ~ 'LISTEN|ping|FROM products'`)
			return func() {}
		},
		"the server does not answer": func(l *listener) func() {
			ctx := context.WithValue(l.t.Context(), ofListening{}, true)
			tx, err := l.db.Begin(ctx)
			if err != nil {
				l.t.Fatal(err)
			}
			if _, err := tx.Exec(ctx, `LOCK TABLE products`); err != nil {
				l.t.Fatal(err)
			}
			l.exec(`NOTIFY products`)
			return func() { _ = tx.Rollback(ctx) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := listen(t)
			mend := deafen(l)
			l.until("it is told", func() bool {
				l.mu.Lock()
				defer l.mu.Unlock()
				return len(l.failed) > 0
			})
			l.mu.Lock()
			l.time = l.time.Add(catalog.Freshness)
			l.mu.Unlock()
			if l.Known() {
				t.Errorf("it gives what is %v old", catalog.Freshness)
			}
			mend()
			before := l.asked.count()
			l.stock("camel-overcoat")
			if n := l.asked.count() - before; n != 1 {
				t.Errorf("it has asked %d times, want once", n)
			}
			l.until("it hears again", l.Known)
			l.exec(`UPDATE products SET stock = 7 WHERE slug = 'camel-overcoat'`)
			l.until("the change shows", func() bool { return l.stock("camel-overcoat") == 7 })
		})
	}
}
