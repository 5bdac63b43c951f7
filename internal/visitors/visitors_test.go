package visitors_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/sessions/sessionstest"
	"coatcheck/internal/visitors"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"
)

// turns is a store whose look-ups are by turns those of pages, and of other
// requests, which are those of [pgstore.Joined].
type turns struct {
	*visitors.Store
	loads atomic.Int64
}

func (s *turns) Load(ctx context.Context, k sessions.Key) (sessions.Session, error) {
	if s.loads.Add(1)%2 == 0 {
		ctx = visitors.WithLuggage(ctx)
	}
	return s.Store.Load(ctx, k)
}

func around(db *pgxpool.Pool) *visitors.Store {
	return visitors.Around(pgstore.Join(pgstore.New(db), time.Minute), db, time.Minute)
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	sessionstest.Run(t, func(t *testing.T) sessions.Store { return &turns{Store: around(pgtest.New(t))} })
}

// A fixture has Alice, who has two things in her cart, and a guest who has one.
type fixture struct {
	db           *pgxpool.Pool
	store        *visitors.Store
	visitors     *visitors.Visitors
	alice, guest sessions.Refs
	ofAlice      sessions.Key
	who          map[sessions.Refs]visitors.Visitor
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db := pgtest.New(t)
	f := &fixture{db: db, store: around(db), visitors: visitors.New(db, time.Minute), ofAlice: sessions.Key{1}}
	users, err := auth.New(auth.Config{DB: db, Cost: bcrypt.MinCost})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(catalog.Seed(t.Context(), db), users.SeedDemo(t.Context())); err != nil {
		t.Fatal(err)
	}
	carts, now := cart.New(db), time.Now().UTC().Truncate(time.Microsecond)
	if err := db.QueryRow(t.Context(), `SELECT id FROM users WHERE name = 'Alice'`).Scan(&f.alice.UserID); err != nil {
		t.Fatal(err)
	}
	if f.alice.CartID, _, err = carts.Merge(t.Context(), 0, f.alice.UserID, now); err != nil {
		t.Fatal(err)
	}
	if f.guest.CartID, err = carts.Start(t.Context(), "navy-peacoat", 4, now); err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"yellow-raincoat", "camel-overcoat"} {
		if err := carts.Add(t.Context(), f.alice.CartID, slug, 2); err != nil {
			t.Fatal(err)
		}
	}
	session := sessions.Session{Handle: "ALICE", Refs: f.alice, CreatedAt: now, IdleUntil: now.Add(time.Hour), Until: now.Add(time.Hour)}
	if err := f.store.Create(t.Context(), f.ofAlice, session, sessions.Event{At: now, Kind: sessions.Made}); err != nil {
		t.Fatal(err)
	}
	id := func(slug string) (id int64) {
		if err := db.QueryRow(t.Context(), `SELECT id FROM products WHERE slug = $1`, slug).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	f.who = map[sessions.Refs]visitors.Visitor{
		f.alice: {
			User:  auth.User{ID: f.alice.UserID, Email: "alice@example.com", Name: "Alice", Role: auth.Customer},
			Items: []cart.Item{{ProductID: id("camel-overcoat"), Quantity: 2}, {ProductID: id("yellow-raincoat"), Quantity: 2}},
		},
		f.guest:           {Items: []cart.Item{{ProductID: id("navy-peacoat"), Quantity: 4}}},
		{}:                {},
		{UserID: 999_999}: {}, // who was deleted
	}
	return f
}

func TestVisitorsAreFoundTogetherAndEachGetsTheirOwn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var crowd sync.WaitGroup
	for range 50 {
		for refs, want := range f.who {
			crowd.Go(func() {
				if got, err := f.visitors.Find(t.Context(), refs); !reflect.DeepEqual(got, want) || err != nil {
					t.Errorf("Find(%v) = %+v, %v; want %+v", refs, got, err, want)
				}
				if got, err := f.visitors.FindWith(t.Context(), refs); !reflect.DeepEqual(got, want) || err != nil {
					t.Errorf("FindWith(%v) = %+v, %v; want %+v", refs, got, err, want)
				}
			})
		}
	}
	crowd.Wait()
}

// A page's session brings its visitor along: it is found although nobody is in
// the table any more. What is nobody's luggage is looked up.
func TestSessionBringsItsVisitorToAPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	page, form := visitors.WithLuggage(t.Context()), t.Context()
	for _, ctx := range []context.Context{page, form} {
		if s, err := f.store.Load(ctx, f.ofAlice); s.Refs != f.alice || err != nil {
			t.Fatalf("Load = %+v, %v", s, err)
		}
	}
	if _, err := f.db.Exec(t.Context(), `DELETE FROM cart_items`); err != nil {
		t.Fatal(err)
	}
	if got, err := f.visitors.Find(page, f.alice); !reflect.DeepEqual(got, f.who[f.alice]) || err != nil {
		t.Errorf("the page finds %+v, %v; want what came with the session", got, err)
	}
	for name, find := range map[string]func() (visitors.Visitor, error){
		"a form, which may have changed the cart": func() (visitors.Visitor, error) { return f.visitors.Find(form, f.alice) },
		"a page of another session":               func() (visitors.Visitor, error) { return f.visitors.Find(visitors.WithLuggage(t.Context()), f.alice) },
		"a page that asks for somebody else":      func() (visitors.Visitor, error) { return f.visitors.Find(page, f.guest) },
	} {
		if got, err := find(); len(got.Items) != 0 || err != nil {
			t.Errorf("%s finds %+v, %v", name, got, err)
		}
	}
}

// A role, a name, a disabled account: what is in the table when the request
// comes is what counts.
func TestChangesOfAUserCountAtTheNextRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, c := range []struct {
		sql  string
		want auth.User
	}{
		{`UPDATE users SET role = 'administrator', name = 'Liddell'`, auth.User{ID: f.alice.UserID, Email: "alice@example.com", Name: "Liddell", Role: auth.Administrator}},
		{`UPDATE users SET disabled_at = now()`, auth.User{}},
	} {
		if _, err := f.db.Exec(t.Context(), c.sql+` WHERE id = $1`, f.alice.UserID); err != nil {
			t.Fatal(err)
		}
		ctx := visitors.WithLuggage(t.Context())
		if _, err := f.store.Load(ctx, f.ofAlice); err != nil {
			t.Fatal(err)
		}
		for _, ctx := range []context.Context{ctx, t.Context()} {
			if got, err := f.visitors.Find(ctx, f.alice); got.User != c.want || err != nil {
				t.Errorf("after %s: %+v, %v; want %+v", c.sql, got.User, err, c.want)
			}
		}
	}
}
