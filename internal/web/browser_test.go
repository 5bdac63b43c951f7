package web_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A browser keeps cookies as browsers do. It follows no redirect by itself,
// so that a test sees each answer.
type browser struct {
	t      testing.TB
	shop   *shop
	client *http.Client
}

func (s *shop) browser() *browser {
	jar, _ := cookiejar.New(nil) // has no error to return
	return &browser{s.t, s, &http.Client{
		Transport:     s.server.Client().Transport,
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// An answer is what came back, read to its end.
type answer struct {
	*http.Response
	t    testing.TB
	body string
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do(b.request(http.MethodGet, path))
}

// post sends a form of names and values in turn.
func (b *browser) post(path string, fields ...string) answer {
	b.t.Helper()
	return b.do(b.form(path, fields...))
}

func (b *browser) form(path string, fields ...string) *http.Request {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.body(path, form.Encode())
}

func (b *browser) body(path, body string) *http.Request {
	r := b.request(http.MethodPost, path)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func (b *browser) request(method, path string) *http.Request {
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.shop.server.URL+path, nil)
	if err != nil {
		panic(err) // the test is wrong
	}
	return r
}

// do may be called from several goroutines at once.
func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Error(err)
		return answer{Response: &http.Response{Header: http.Header{}}, t: b.t}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Error(err)
	}
	return answer{response, b.t, string(body)}
}

// ticket is the session ID that the browser holds.
func (b *browser) ticket() string {
	at, _ := url.Parse(b.shop.server.URL)
	for _, c := range b.client.Jar.Cookies(at) {
		if strings.HasSuffix(c.Name, "session") {
			return c.Value
		}
	}
	return ""
}

// copyOf is another browser into which the same ticket was copied, such as a
// thief's.
func (b *browser) copyOf() *browser {
	other := b.shop.browser()
	other.hold(b.ticket())
	return other
}

// hold puts a ticket into the browser.
func (b *browser) hold(ticket string) {
	at, _ := url.Parse(b.shop.server.URL)
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "session", Value: ticket, Path: "/"}})
}

// add puts one piece into the cart.
func (b *browser) add(slug string) answer {
	b.t.Helper()
	return b.post("/cart/items", "product", slug, "quantity", "1").is(http.StatusSeeOther)
}

// signIn signs in as one of the demo accounts.
func (b *browser) signIn(name string) answer {
	b.t.Helper()
	return b.post("/login", "email", name+"@example.com", "password", "coat-check-"+name).is(http.StatusSeeOther)
}

// signedInAs gives a browser of somebody who is signed in.
func (s *shop) signedInAs(name string) *browser {
	s.t.Helper()
	b := s.browser()
	b.signIn(name)
	return b
}

// order buys what is in the cart and gives the address of the order.
func (b *browser) order() string {
	b.t.Helper()
	key := b.get("/checkout").is(http.StatusOK).field("order_key")
	return b.post("/checkout", "name", "Alice", "address", "1 Rail Road", "order_key", key).
		is(http.StatusSeeOther).Header.Get("Location")
}

// isSignedIn expects that the browser's ticket opens an account.
func (b *browser) isSignedIn() {
	b.t.Helper()
	b.get("/orders").is(http.StatusOK)
}

// isDead expects that the browser's ticket opens none.
func (b *browser) isDead() {
	b.t.Helper()
	b.get("/orders").leadsTo("/login?next=%2Forders")
}

// is expects a status code.
func (a answer) is(status int) answer {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Errorf("%s: %s, want %d", a.what(), a.Status, status)
	}
	return a
}

// leadsTo expects a redirect.
func (a answer) leadsTo(path string) answer {
	a.t.Helper()
	if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != path {
		a.t.Errorf("%s: %s to %q, want 303 to %q", a.what(), a.Status, got, path)
	}
	return a
}

// says expects a message to the visitor, or an error, that contains text.
func (a answer) says(text string) answer {
	a.t.Helper()
	if !strings.Contains(a.message(), text) {
		a.t.Errorf("%s: the message is %q, want %q in it", a.what(), a.message(), text)
	}
	return a
}

func (a answer) what() string {
	if a.Request == nil {
		return "no answer"
	}
	return a.Request.Method + " " + a.Request.URL.RequestURI()
}

// sets gives the cookies of that name that the answer sets or clears: the
// session's is called session, the message's notice.
func (a answer) sets(name string) (found []*http.Cookie) {
	for _, c := range a.Cookies() {
		if strings.TrimPrefix(c.Name, "__Host-") == name {
			found = append(found, c)
		}
	}
	return found
}

var messages = regexp.MustCompile(`(?s)role="(?:alert|status)"[^>]*>(.*?)</p>`)

func (a answer) message() string {
	var all []string
	for _, m := range messages.FindAllStringSubmatch(a.body, -1) {
		all = append(all, html.UnescapeString(m[1]))
	}
	return strings.Join(all, "\n")
}

// text is what the element with that ID holds.
func (a answer) text(id string) string {
	m := regexp.MustCompile(`id="` + id + `"[^>]*>([^<]*)<`).FindStringSubmatch(a.body)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// field is the value of a form's field.
func (a answer) field(name string) string {
	m := regexp.MustCompile(`<input[^>]*name="` + name + `"[^>]*value="([^"]*)"`).FindStringSubmatch(a.body)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

var row = regexp.MustCompile(`data-product="([^"]*)" data-quantity="(\d+)"`)

// pieces is what the rows of a cart or an order say: product and quantity.
func (a answer) pieces() map[string]int {
	pieces := map[string]int{}
	for _, m := range row.FindAllStringSubmatch(a.body, -1) {
		pieces[m[1]], _ = strconv.Atoi(m[2])
	}
	return pieces
}

var stub = regexp.MustCompile(`data-session="([^"]*)"( data-current)?`)

// stubs are the handles of the sessions on a page, and that of the visitor's.
func (a answer) stubs() (handles []string, current string) {
	for _, m := range stub.FindAllStringSubmatch(a.body, -1) {
		handles = append(handles, m[1])
		if m[2] != "" {
			current += m[1]
		}
	}
	return handles, current
}

// cartCount is the number in the layout.
func (a answer) cartCount() int {
	a.t.Helper()
	n, err := strconv.Atoi(a.text("cart-count"))
	if err != nil {
		a.t.Errorf("%s has no cart count: %v", a.what(), err)
	}
	return n
}
