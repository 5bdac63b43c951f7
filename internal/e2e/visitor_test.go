package e2e_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"coatcheck/internal/e2e/process"
)

func TestMain(m *testing.M) { process.Main(m) }

// A visitor has a cookie jar, follows redirects, and reads pages by the marks
// in them.
type visitor struct {
	t      *testing.T
	url    string
	client *http.Client
}

func visit(t *testing.T, shop *process.Shop) *visitor {
	jar, _ := cookiejar.New(nil) // has no error to return
	return &visitor{t, shop.URL, &http.Client{Jar: jar}}
}

// A page is where a visitor ended up.
type page struct {
	status int
	path   string
	body   string
	header http.Header
	closes bool // the server closes the connection
}

func (v *visitor) get(path string) page {
	v.t.Helper()
	return v.read(v.client.Get(v.url + path))
}

// post sends a form of names and values in turn.
func (v *visitor) post(path string, fields ...string) page {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return v.read(v.client.PostForm(v.url+path, form))
}

func (v *visitor) read(response *http.Response, err error) page {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return page{response.StatusCode, response.Request.URL.RequestURI(), string(body), response.Header, response.Close}
}

// ticket is the session ID that the visitor carries; empty if there is none.
func (v *visitor) ticket() string {
	at, _ := url.Parse(v.url)
	for _, c := range v.client.Jar.Cookies(at) {
		if c.Name == "session" {
			return c.Value
		}
	}
	return ""
}

// carry puts a ticket into the visitor's pocket.
func (v *visitor) carry(ticket string) {
	at, _ := url.Parse(v.url)
	v.client.Jar.SetCookies(at, []*http.Cookie{{Name: "session", Value: ticket, Path: "/"}})
}

func (v *visitor) add(slug string) page {
	v.t.Helper()
	return v.post("/cart/items", "product", slug, "quantity", "1")
}

func (v *visitor) signIn(name string) page {
	v.t.Helper()
	return v.post("/login", "email", name+"@example.com", "password", "coat-check-"+name)
}

// name is the account that the page says the visitor is signed in to.
func (p page) name() string { return p.mark(`id="account-name"[^>]*>([^<]*)<`) }

// count is the number of pieces that the page says are in the cart.
func (p page) count() string { return p.mark(`id="cart-count"[^>]*>([^<]*)<`) }

func (p page) total() string { return p.mark(`id="total"[^>]*>([^<]*)<`) }

func (p page) field(name string) string { return p.mark(`name="` + name + `"[^>]*value="([^"]*)"`) }

func (p page) message() string { return p.mark(`role="(?:status|alert)"[^>]*>([^<]*)<`) }

func (p page) mark(pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(p.body)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(m[1])
}

// is expects somebody with so many pieces in the cart; "" is a guest.
func (p page) is(t *testing.T, name, count string) page {
	t.Helper()
	if p.status != http.StatusOK || p.name() != name || p.count() != count {
		t.Errorf("%s: status %d, signed in as %q with %s pieces; want %q with %s", p.path, p.status, p.name(), p.count(), name, count)
	}
	return p
}
