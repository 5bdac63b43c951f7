package chaos_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A route is an address of the shop's and what is sent there: OWN is the e-mail
// address of whoever sends it, and OTHER that of another account.
type route struct {
	method, path string
	form         string
	moves        bool // if it works, whoever asked has another ticket afterwards, or none
	password     bool // takes a password, and its turn at hashing it
}

const product = "/products/camel-overcoat"

// routes are those of the shop that everybody may try.
var routes = []route{
	{method: "GET", path: "/"},
	{method: "GET", path: product},
	{method: "GET", path: "/nowhere"},
	{method: "GET", path: "/cart"},
	{method: "POST", path: "/cart/items", form: "product=navy-peacoat&quantity=1"},
	{method: "POST", path: "/cart/items/camel-overcoat", form: "quantity=2"},
	{method: "GET", path: "/login"},
	{method: "POST", path: "/login", form: "email=OTHER&password=" + password, moves: true, password: true},
	{method: "POST", path: "/login", form: "email=OTHER&password=wrong", password: true},
	{method: "POST", path: "/logout", moves: true},
	{method: "GET", path: "/signup"},
	{method: "POST", path: "/signup", form: "name=Carol&email=carol@example.com&password=" + password, password: true},
	{method: "GET", path: "/checkout"},
	{method: "POST", path: "/checkout", form: "name=Carol&address=1 Rail Road&order_key=ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{method: "GET", path: "/orders"},
	{method: "GET", path: "/orders/1"},
	{method: "GET", path: "/account"},
	{method: "POST", path: "/account/password", form: "current_password=" + password + "&new_password=" + password, moves: true, password: true},
	{method: "POST", path: "/account/email", form: "current_password=" + password + "&email=OWN", moves: true, password: true},
	{method: "GET", path: "/account/sessions"},
	{method: "POST", path: "/account/sessions/confirm", form: "current_password=" + password, moves: true, password: true},
	{method: "POST", path: "/account/sessions/ABCDEFGHIJ/revoke", form: "current_password=" + password, password: true},
	{method: "POST", path: "/account/sessions/revoke-others", form: "current_password=" + password, password: true},
	{method: "GET", path: "/session"},
	{method: "POST", path: "/session/extend"},
	{method: "GET", path: "/admin"},
	{method: "GET", path: "/admin/users/1"},
	{method: "POST", path: "/admin/users/1/enable"},
	{method: "POST", path: "/admin/users/1000/disable"},
	{method: "POST", path: "/admin/users/1000/revoke-sessions"},
	{method: "POST", path: "/admin/sessions/revoke-all", form: "current_password=wrong", password: true},
}

// kind is who somebody is.
type kind int

const (
	newcomer  kind = iota // has no ticket
	guest                 // has a ticket for a cart
	customer              // is signed in
	commander             // is signed in as an administrator
)

// A person asks for one route, and has a ticket that nobody else has.
type person struct {
	kind
	route
	shop        string
	name, email string
	ticket      string
	client      *http.Client
}

// An answer is what came of it.
type answer struct {
	status  int
	body    string
	tickets []string // that it set
	header  http.Header
	took    time.Duration
	err     error
}

func (p *person) String() string {
	return fmt.Sprintf("%s %s of %s", p.method, p.path, [...]string{"a newcomer", "a guest", "a customer", "an administrator"}[p.kind])
}

// ask sends something with the person's ticket. What is answered changes
// nothing here.
func (p *person) ask(method, path, form string) (a answer) {
	from := time.Now()
	defer func() { a.took = time.Since(from) }()
	r, err := http.NewRequest(method, p.shop+path, strings.NewReader(strings.ReplaceAll(form, " ", "+")))
	if err != nil {
		return answer{err: err}
	}
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if p.ticket != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: p.ticket})
	}
	response, err := p.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	a = answer{status: response.StatusCode, body: string(body), header: response.Header, err: err}
	for _, c := range response.Cookies() {
		if c.Name == "session" {
			a.tickets = append(a.tickets, c.Value)
		}
	}
	return a
}

// newClient is a browser without a memory, and in no hurry.
func newClient() *http.Client {
	return &http.Client{
		Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// arrive gets the person a ticket, if they are to have one.
func (p *person) arrive() error {
	p.ticket = ""
	if p.kind == newcomer {
		return nil
	}
	method, path, form := "POST", "/cart/items", "product=camel-overcoat&quantity=1"
	if p.kind != guest {
		path, form = "/login", "email="+url.QueryEscape(p.email)+"&password="+password
	}
	a := p.ask(method, path, form)
	if a.err != nil || a.status != http.StatusSeeOther || len(a.tickets) != 1 {
		return fmt.Errorf("%v has not come in: %d, %v", p, a.status, a.err)
	}
	p.ticket = a.tickets[0]
	return nil
}

// known reports whether the ticket still opens what it has opened; not, if the
// shop is down.
func (p *person) known() (bool, error) {
	path := map[kind]string{guest: "/cart", customer: "/account", commander: "/account"}[p.kind]
	if path == "" {
		return true, nil
	}
	switch a := p.ask("GET", path, ""); {
	case a.err != nil || a.status == http.StatusServiceUnavailable:
		return false, nil
	case a.status != http.StatusOK, p.kind == guest && !strings.Contains(a.body, `data-product=`), accountName(a.body) != p.name:
		return false, fmt.Errorf("afterwards %v is not known: %d, %q", p, a.status, accountName(a.body))
	}
	return true, nil
}
