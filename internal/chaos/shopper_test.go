package chaos_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A shopper is a browser with somebody before it.
type shopper struct {
	crowd       *crowd
	name, email string
	newcomer    bool
	chance      *rand.Rand
	client      *http.Client
	outages     atomic.Int64 // how many there have been
	seen        atomic.Int64 // and after how many of them the ticket was seen to be good
	in          bool         // signed in, for good
	// adrift are pieces by slug that were put into the cart without an answer.
	// They are in it, or not, or will be when Postgres comes round to what a
	// shop asked for that has died since.
	adrift map[string]int
}

// A visit is what a shopper was answered.
type visit struct {
	status   int
	location string
	body     string
}

const password = "a coat of many colours"

func newShopper(c *crowd, number int, newcomer bool) *shopper {
	jar, _ := cookiejar.New(nil)
	s := &shopper{
		crowd: c, name: name(number), email: address(number), newcomer: newcomer,
		chance: chance(c.t.Name() + name(number)), adrift: map[string]int{},
		client: &http.Client{
			Jar: jar, Transport: &http.Transport{}, Timeout: time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	c.t.Cleanup(s.client.CloseIdleConnections)
	return s
}

func name(number int) string    { return fmt.Sprintf("Shopper %d", number) }
func address(number int) string { return fmt.Sprintf("shopper%d@example.com", number) }

// signIn makes an account if there is none, and signs in with a first coat in
// the cart.
func (s *shopper) signIn() {
	if s.newcomer {
		s.expect("/login", s.insist("POST", "/signup", "name", s.name, "email", s.email, "password", password))
	}
	s.expect("/cart", s.insist("POST", "/cart/items", "product", s.crowd.goods[0], "quantity", "1"))
	s.expect("/cart", s.insist("POST", "/login", "email", s.email, "password", password, "next", "/cart"))
	s.in = true
}

// expect reports an answer that does not lead where it should.
func (s *shopper) expect(path string, v visit) {
	if v.status != http.StatusSeeOther || !strings.HasPrefix(v.location, path) {
		s.crowd.fault("%s was to be led to %s: %d %q\n%s", s.name, path, v.status, v.location, gist(v.body))
	}
}

// shop buys one thing after the other.
func (s *shopper) shop() {
	var last order
	for !s.crowd.isLeaving() && !s.crowd.t.Failed() {
		s.lookBack()
		s.fill()
		if last.number != 0 && s.chance.IntN(4) == 0 {
			s.repeat(last) // "back", and the button once more
		}
		last = s.buy()
	}
}

// lookBack sees, once after each outage, whether the ticket is still good.
func (s *shopper) lookBack() {
	if n := s.outages.Load(); n > s.seen.Load() {
		if v := s.insist("GET", "/account"); v.status != http.StatusOK {
			s.crowd.fault("%s finds no account: %d %q", s.name, v.status, v.location)
		}
		s.seen.Store(n)
	}
}

// fill puts up to three kinds of goods into the cart, which must hold them
// then. What gets no answer is put in again.
func (s *shopper) fill() {
	put := s.read("/cart")
	for range 1 + s.chance.IntN(3) {
		slug, n := s.crowd.goods[s.chance.IntN(len(s.crowd.goods))], 1+s.chance.IntN(2)
		v, tries := s.insistent("POST", "/cart/items", "product", slug, "quantity", strconv.Itoa(n))
		s.expect("/cart", v)
		put[slug] += n
		s.adrift[slug] += n * (tries - 1)
	}
	if lines := s.read("/cart"); !s.are(lines, put) {
		s.crowd.fault("%s has put %v into the cart, which holds %v; adrift were %v", s.name, put, lines, s.adrift)
	}
}

// are says whether lines are those that are wanted, but for what is adrift.
func (s *shopper) are(lines, wanted map[string]int) bool {
	drifted := map[string]int{}
	for slug, n := range lines {
		drifted[slug] = n - wanted[slug]
	}
	for slug := range wanted {
		drifted[slug] = lines[slug] - wanted[slug]
	}
	for slug, n := range drifted {
		if n < 0 || n > s.adrift[slug] {
			return false
		}
		s.adrift[slug] -= n
	}
	return true
}

// buy orders what is in the cart, and looks at the order. Some press the
// button twice.
func (s *shopper) buy() order {
	form := s.insist("GET", "/checkout")
	o := order{email: s.email, lines: listed(form.body)}
	_, rest, _ := strings.Cut(form.body, `name="order_key" value="`)
	o.key, _, _ = strings.Cut(rest, `"`)
	if s.chance.IntN(5) > 0 {
		o.number = s.place(o.key)
	} else {
		var twice [2]int64
		var both sync.WaitGroup
		for i := range twice {
			both.Go(func() { twice[i] = s.place(o.key) })
		}
		both.Wait()
		if o.number = twice[0]; twice[0] != twice[1] {
			s.crowd.fault("%s has pressed the button twice and has the orders %v", s.name, twice)
		}
	}
	if o.number == 0 {
		return o // and has been reported
	}
	s.crowd.placed.Add(1)
	shown := s.read("/orders/" + strconv.FormatInt(o.number, 10))
	if !s.are(shown, o.lines) {
		s.crowd.fault("%s has ordered %v, and order %d says %v", s.name, o.lines, o.number, shown)
	}
	o.lines = shown
	s.crowd.mu.Lock()
	defer s.crowd.mu.Unlock()
	s.crowd.orders = append(s.crowd.orders, o)
	return o
}

// place sends the checkout form until it is answered, and gives the order's
// number.
func (s *shopper) place(key string) int64 {
	v := s.insist("POST", "/checkout", "name", s.name, "address", "1 Rail Road", "order_key", key)
	s.expect("/orders/", v)
	number, _ := strconv.ParseInt(strings.TrimPrefix(v.location, "/orders/"), 10, 64)
	return number
}

// repeat sends the form of an order that was placed.
func (s *shopper) repeat(o order) {
	if again := s.place(o.key); again != o.number {
		s.crowd.fault("%s has sent the form of order %d once more, and has order %d", s.name, o.number, again)
	}
}

// read gives the pieces by slug that a page lists.
func (s *shopper) read(path string) map[string]int {
	v := s.insist("GET", path)
	if v.status != http.StatusOK {
		s.crowd.fault("%s: GET %s: %d %q", s.name, path, v.status, v.location)
	}
	return listed(v.body)
}

func listed(page string) map[string]int {
	lines := map[string]int{}
	for _, part := range strings.Split(page, `data-product="`)[1:] {
		slug, rest, _ := strings.Cut(part, `" data-quantity="`)
		number, _, _ := strings.Cut(rest, `"`)
		lines[slug], _ = strconv.Atoi(number)
	}
	return lines
}

// insist asks until there is an answer.
func (s *shopper) insist(method, path string, form ...string) visit {
	v, _ := s.insistent(method, path, form...)
	return v
}

// insistent asks until there is an answer, after a longer pause each time, and
// says how many times it took.
func (s *shopper) insistent(method, path string, form ...string) (v visit, tries int) {
	late := time.After(time.Minute)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 300*time.Millisecond) {
		v, answered := s.ask(method, path, form...)
		if tries++; answered || s.crowd.t.Failed() {
			return v, tries
		}
		select {
		case <-late:
			s.crowd.fault("%s has asked for %s %s for a minute, in vain", s.name, method, path)
			return v, tries
		case <-time.After(pause):
		}
	}
}

// ask asks once. Without an answer, or with 503, it is not known whether the
// shop has done it.
func (s *shopper) ask(method, path string, form ...string) (v visit, answered bool) {
	fields := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		fields.Set(form[i], form[i+1])
	}
	from := time.Now()
	v, sets, err := s.send(method, path, fields)
	s.crowd.asked.Add(1)
	switch {
	case err != nil:
		s.crowd.silent.Add(1)
		s.failed(fmt.Sprintf("%s %s: %v", method, path, err), false, from)
		return v, false
	case v.status == http.StatusBadGateway, v.status == http.StatusGatewayTimeout: // says a balancer
		s.crowd.silent.Add(1)
		s.failed(fmt.Sprintf("%s %s: %d", method, path, v.status), false, from)
		return v, false
	case v.status == http.StatusServiceUnavailable:
		s.crowd.down.Add(1)
		s.failed(fmt.Sprintf("%s %s: 503", method, path), true, from)
	case v.status >= http.StatusInternalServerError:
		s.crowd.fault("%s: %s %s: %d\n%s", s.name, method, path, v.status, gist(v.body))
	}
	s.stillIn(method+" "+path, v, sets)
	return v, v.status != http.StatusServiceUnavailable
}

func (s *shopper) send(method, path string, fields url.Values) (v visit, sets []*http.Cookie, err error) {
	r, err := http.NewRequest(method, s.crowd.url+path, strings.NewReader(fields.Encode()))
	if err != nil {
		return v, nil, err
	}
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return v, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if by := answer.Header.Get("X-Served-By"); by != "" {
		s.crowd.mu.Lock()
		s.crowd.served[by]++
		s.crowd.mu.Unlock()
	}
	return visit{answer.StatusCode, answer.Header.Get("Location"), string(body)}, answer.Cookies(), err
}

// failed keeps a failure in mind. At the door it is none: who comes while many
// others sign in may be asked to wait.
func (s *shopper) failed(what string, down bool, from time.Time) {
	if !s.in {
		return
	}
	s.crowd.mu.Lock()
	defer s.crowd.mu.Unlock()
	s.crowd.failures = append(s.crowd.failures, failure{s.name + ": " + what, down, from, time.Now()})
}

// stillIn looks whether an answer is one for somebody who is signed in: none
// touches the ticket or leads to the sign-in, and each page says who it is for.
func (s *shopper) stillIn(what string, v visit, sets []*http.Cookie) {
	if !s.in {
		return
	}
	for _, c := range sets {
		if c.Name == "session" {
			s.signedOut("%s sets the ticket %q", what, c.Value)
		}
	}
	if strings.HasPrefix(v.location, "/login") {
		s.signedOut("%s leads to %s", what, v.location)
	}
	if v.status == http.StatusOK {
		_, rest, _ := strings.Cut(v.body, `id="account-name"`)
		_, rest, _ = strings.Cut(rest, ">")
		if name, _, _ := strings.Cut(rest, "<"); name != s.name {
			s.signedOut("%s is a page for %q", what, name)
		}
	}
}

func (s *shopper) signedOut(format string, args ...any) {
	s.crowd.mu.Lock()
	s.crowd.signOuts++
	s.crowd.mu.Unlock()
	s.crowd.fault(s.name+" was signed out: "+format, args...)
}

// gist is what a page has to say first.
func gist(page string) string {
	_, main, _ := strings.Cut(page, "<h1>")
	return main[:min(len(main), 400)]
}
