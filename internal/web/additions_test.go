package web_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Races are of two kinds here. Some let many requests loose and count in the
// end. Others hold a request in the middle by a real row lock, so that it is
// sure to meet what it could meet.

// slugs of products with plenty in stock.
var plenty = []string{
	"camel-overcoat", "navy-peacoat", "yellow-raincoat", "stone-trench", "green-duffle", "rust-puffer",
	"lambswool-scarf", "felt-fedora", "leather-gloves", "stick-umbrella", "ribbed-beanie",
}

// addAtOnce sends n additions of one piece at the same time and calls each
// for every answer, one after the other.
func addAtOnce(b *browser, n int, each func(answer)) *sync.WaitGroup {
	var mu sync.Mutex
	var requests sync.WaitGroup
	for i := range n {
		requests.Go(func() {
			a := b.post("/cart/items", "product", plenty[i%len(plenty)], "quantity", "1")
			mu.Lock()
			defer mu.Unlock()
			each(a)
		})
	}
	return &requests
}

// X7
func TestParallelAdditionsAllCount(t *testing.T) {
	t.Parallel()
	for _, visitor := range []string{"guest", "alice"} {
		t.Run(visitor, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			b := s.browser()
			b.add("cedar-hanger") // so that there is one session for all
			if visitor == "alice" {
				b.signIn("alice")
			}
			addAtOnce(b, 200, func(a answer) { a.leadsTo("/cart") }).Wait()
			if got := b.get("/cart").cartCount(); got != 201 {
				t.Errorf("of 201 pieces, %d are in the cart", got)
			}
			if n := s.number(`SELECT count(*) FROM sessions`); n != 1 {
				t.Errorf("there are %d sessions, want 1", n)
			}
		})
	}
}

// X7: what was answered with "it is in your cart" is in the user's cart, or in
// a new one that the same answer has sent the ticket of.
func TestAdditionsRacingASignInAreCountedOrRefused(t *testing.T) {
	t.Parallel()
	const racing = 30
	s := openOn(t, pool(t, racing+5))
	alice := s.browser()
	alice.add("cedar-hanger")
	guest := alice.copyOf()

	confirmed, found := 1, 0
	fresh := []*browser{alice}
	release := s.hold(`SELECT FROM products FOR UPDATE`)
	additions := addAtOnce(guest, racing, func(a answer) {
		switch a.StatusCode {
		case http.StatusSeeOther:
			confirmed++
		case http.StatusConflict: // told to add it once more
		default:
			t.Errorf("%s: %s", a.what(), a.Status)
		}
		for _, c := range a.sets("session") {
			b := s.browser()
			b.hold(c.Value)
			fresh = append(fresh, b)
		}
	})
	s.waitForWaiters(racing) // all of them are known as the guest
	additions.Go(func() { alice.signIn("alice") })
	s.waitForWaiters(racing + 1)
	release()
	additions.Wait()
	for _, b := range fresh {
		found += b.get("/cart").cartCount()
	}
	if found != confirmed {
		t.Errorf("%d pieces were confirmed, %d are in %d carts", confirmed, found, len(fresh))
	}
}

// An addition that has begun to write when the sign-in comes is merged.
func TestAdditionAheadOfASignInIsMerged(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.browser()
	alice.add("camel-overcoat")

	release := s.hold(`SELECT FROM products WHERE slug = 'navy-peacoat' FOR UPDATE`)
	var requests sync.WaitGroup
	requests.Go(func() { alice.copyOf().add("navy-peacoat") })
	s.waitForWaiters(1)
	requests.Go(func() { alice.signIn("alice") })
	s.waitForWaiters(2)
	release()
	requests.Wait()

	if got := alice.get("/cart").pieces(); got["camel-overcoat"] != 1 || got["navy-peacoat"] != 1 {
		t.Errorf("the cart holds %v, want both coats", got)
	}
}

// An addition that comes when the carts are merged and the guest's session is
// not yet dead is still the guest's. It is merged, too.
func TestAdditionInTheMiddleOfASignInIsMerged(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.browser()
	alice.add("camel-overcoat")

	release := s.hold(`SELECT FROM sessions FOR UPDATE`)
	var signIn sync.WaitGroup
	signIn.Go(func() { alice.signIn("alice") })
	s.waitForWaiters(1) // the carts are merged, the move waits
	alice.copyOf().add("navy-peacoat")
	release()
	signIn.Wait()

	if got := alice.get("/cart").pieces(); got["camel-overcoat"] != 1 || got["navy-peacoat"] != 1 {
		t.Errorf("the cart holds %v, want both coats", got)
	}
}

// An addition that reaches its cart after the sign-in comes too late. It is
// told so, and leaves alone the ticket that the sign-in has sent (X9).
func TestAdditionBehindASignInIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.browser()
	alice.add("camel-overcoat")
	guest := alice.copyOf()

	// Stop the addition where it knows its session and has touched no cart.
	s.exec(`
		CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF NEW.product_id = (SELECT id FROM products WHERE slug = 'navy-peacoat') THEN
				PERFORM pg_advisory_xact_lock(1);
			END IF;
			RETURN NEW;
		END $$`)
	s.exec(`CREATE TRIGGER wait BEFORE INSERT ON cart_items FOR EACH ROW EXECUTE FUNCTION wait()`)
	release := s.hold(`SELECT pg_advisory_xact_lock(1)`)
	var addition sync.WaitGroup
	var late answer
	addition.Go(func() { late = guest.post("/cart/items", "product", "navy-peacoat", "quantity", "1") })
	s.waitForWaiters(1)
	alice.signIn("alice")
	release()
	addition.Wait()

	late.is(http.StatusConflict)
	if set := late.sets("session"); len(set) != 0 {
		t.Error("the late addition has set a session cookie")
	}
	if got := alice.get("/cart").pieces(); got["camel-overcoat"] != 1 || got["navy-peacoat"] != 0 {
		t.Errorf("the cart holds %v, want one overcoat", got)
	}
}

// X7: a checkout buys what is in the cart, and what is added meanwhile stays.
// X9: what sets out with the old ticket and comes in when the session has moved
// must not be answered with a guest's ticket, or a cleared one: the browser
// would put it in the place of the new one.
func TestRequestThatIsTooLateForItsTicketLeavesTheNewOneAlone(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(*browser){
		"sign-in":          func(b *browser) { b.signIn("alice") },
		"changed password": func(b *browser) { b.signIn("alice"); b.changePassword(alicesPassword, newPassword) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			b := s.browser()
			b.add("camel-overcoat")
			if name != "sign-in" {
				b.signIn("alice")
			}
			old := b.copyOf()
			move(b)
			sessions := s.number(`SELECT count(*) FROM sessions`)
			for _, late := range []answer{
				old.post("/cart/items", "product", "felt-fedora", "quantity", "1").is(http.StatusConflict),
				old.post("/cart/items/camel-overcoat", "quantity", "3").leadsTo("/cart"),
				old.post("/logout").leadsTo("/"),
				old.post("/session/extend").is(http.StatusOK),
				old.get("/cart").is(http.StatusOK),
			} {
				if len(late.sets("session")) != 0 {
					t.Errorf("%s sets %v", late.what(), late.sets("session"))
				}
			}
			if n := s.number(`SELECT count(*) FROM sessions`); n != sessions {
				t.Errorf("%d sessions have begun", n-sessions)
			}
			b.isSignedIn()
			s.clock.advance(time.Minute) // no request is on its way for so long
			if a := old.add("felt-fedora"); len(a.sets("session")) != 1 {
				t.Errorf("a minute later, the old ticket's holder gets %v", a.sets("session"))
			}
		})
	}
}

// The same by force: one browser signs in while it adds to the cart as fast as
// it can, and takes every cookie that comes.
func TestAddingWithoutEndSignsNobodyOut(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	b.add("cedar-hanger")
	var signedIn atomic.Bool
	var adding sync.WaitGroup
	for range 8 {
		adding.Go(func() {
			for after := 0; after < 3; { // the last ones begin when the sign-in is done
				if signedIn.Load() {
					after++
				}
				b.post("/cart/items", "product", "camel-overcoat", "quantity", "1")
			}
		})
	}
	b.signIn("alice")
	signedIn.Store(true)
	adding.Wait()
	b.isSignedIn()
}

func TestAdditionsRacingACheckoutAreNotLost(t *testing.T) {
	t.Parallel()
	const racing = 60
	s := open(t)
	alice := s.signedInAs("alice")
	alice.add("cedar-hanger")
	additions := addAtOnce(alice, racing, func(a answer) { a.leadsTo("/cart") })
	order := alice.order()
	additions.Wait()

	ordered := 0
	for _, n := range alice.get(order).pieces() {
		ordered += n
	}
	if left := alice.get("/cart").cartCount(); ordered+left != racing+1 {
		t.Errorf("of %d pieces %d are ordered and %d in the cart", racing+1, ordered, left)
	}
}

// pool opens a pool of another size than the shop's usual one.
func pool(t *testing.T, size int32) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = size
	db, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// A form that was on its way while the cart was changed shows the cart as it is
// now, not as it was when its session was looked up.
func TestFormSeesTheCartAsItIs(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	other, err := s.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback(context.WithoutCancel(t.Context()))
	if _, err := other.Exec(t.Context(), `UPDATE cart_items SET quantity = 20`); err != nil {
		t.Fatal(err)
	}
	answers := make(chan answer)
	go func() { answers <- alice.post("/cart/items", "product", "camel-overcoat", "quantity", "1") }()
	s.waitForWaiters(1)
	if err := other.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := <-answers; a.is(http.StatusUnprocessableEntity).cartCount() != 20 {
		t.Errorf("the page shows %d pieces, want all 20", a.cartCount())
	}
}

// hold takes row locks, as another request's transaction would, until release
// is called.
func (s *shop) hold(sql string) (release func()) {
	s.t.Helper()
	conn, err := pgx.ConnectConfig(s.t.Context(), s.db.Config().ConnConfig)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close(context.Background()) })
	tx, err := conn.Begin(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := tx.Exec(s.t.Context(), sql); err != nil {
		s.t.Fatal(err)
	}
	return func() {
		s.t.Helper()
		if err := tx.Rollback(s.t.Context()); err != nil {
			s.t.Error(err)
		}
	}
}

// waitForWaiters returns when so many statements wait for a lock.
func (s *shop) waitForWaiters(want int) {
	s.t.Helper()
	s.until("so many wait for a lock", func() bool {
		return s.number(`
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`) == want
	})
}
