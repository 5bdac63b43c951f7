package scale_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/internal/auth"

	"golang.org/x/crypto/bcrypt"
)

// restartOneByOne restarts one server after the other while people shop. None
// of them notices.
func restartOneByOne(t *testing.T, f *fleet, url string) {
	for i := range f.shops {
		awaitVisitors(t, url, i)
	}
	crowd := gather(t, f, url, 8)
	before := orders(t, f)
	begin, closing := time.Now(), make(chan struct{})
	var shopping sync.WaitGroup
	for _, s := range crowd {
		shopping.Go(func() { s.shop(closing) })
	}
	for i, shop := range f.shops {
		shop.Stop()
		shop.Start()
		awaitVisitors(t, url, i)
	}
	close(closing)
	shopping.Wait()
	took := time.Since(begin)

	var requests, placed int
	for _, s := range crowd {
		requests += s.way.answers()
		placed += s.placed
		if s.stays && s.ticket() != s.first {
			t.Errorf("%s has another ticket than at first", s.name)
		}
	}
	if filed := orders(t, f) - before; filed != placed || placed == 0 {
		t.Errorf("%d orders were placed, and %d are filed", placed, filed)
	}
	if !t.Failed() {
		t.Logf("figures: a rolling restart of %d servers took %.1f s; meanwhile %d shoppers made %d requests and placed %d orders; none was lost, and nobody was signed out",
			len(f.shops), took.Seconds(), len(crowd), requests, placed)
	}
}

func orders(t *testing.T, f *fleet) (n int) {
	t.Helper()
	if err := f.db.QueryRow(t.Context(), `SELECT count(*) FROM orders`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A shopper orders one thing after another, and expects each answer to be what
// it should be. Some stay signed in all the time, and some come as a guest and
// leave after each order.
type shopper struct {
	*visitor
	name   string
	stays  bool
	first  string // ticket, of one who stays
	placed int    // orders
}

var shoppers atomic.Int64

// gather makes shoppers, each with an account.
func gather(t *testing.T, f *fleet, url string, n int) (crowd []*shopper) {
	t.Helper()
	users, err := auth.New(auth.Config{DB: f.db, Cost: bcrypt.MinCost})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		s := &shopper{visitor: visit(t, url), name: fmt.Sprint("Shopper", shoppers.Add(1)), stays: i%2 == 0}
		email := strings.ToLower(s.name)
		if _, err := users.Add(t.Context(), s.name, email+"@example.com", "coat-check-"+email); err != nil {
			t.Fatal(err)
		}
		if s.stays {
			s.signIn(s.name).is(t, s.name, "0")
			s.first = s.ticket()
		}
		crowd = append(crowd, s)
	}
	return crowd
}

// shop goes on until the end of the day, and then finishes the round.
func (s *shopper) shop(closing <-chan struct{}) {
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	as := "" // a guest
	if s.stays {
		as = s.name
	}
	for !s.t.Failed() {
		for _, step := range []func(){
			func() { s.get("/").is(s.t, as, "0") },
			func() { s.get("/products/camel-overcoat").is(s.t, as, "0") },
			func() { s.add("camel-overcoat").is(s.t, as, "1") },
			func() {
				if !s.stays {
					s.signIn(s.name).is(s.t, s.name, "1")
				}
			},
			s.order,
			func() {
				if !s.stays {
					s.post("/logout").is(s.t, "", "0")
				}
			},
		} {
			<-pace.C
			step()
		}
		select {
		case <-closing:
			return
		default:
		}
	}
}

func (s *shopper) order() {
	form := s.get("/checkout").is(s.t, s.name, "1")
	order := s.post("/checkout", "name", s.name, "address", "1 Rail Road", "order_key", form.field("order_key"))
	if order.status == http.StatusOK && strings.HasPrefix(order.path, "/orders/") {
		s.placed++
	}
	order.is(s.t, s.name, "0")
}
