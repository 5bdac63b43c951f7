package scale_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A visitor has a cookie jar, follows redirects, and reads pages by the marks
// in them. Visitors may be in goroutines of their own, so what goes wrong is
// an error of the test's, and ends nothing.
type visitor struct {
	t      *testing.T
	url    string
	way    *way
	client *http.Client
}

func visit(t *testing.T, url string) *visitor {
	jar, _ := cookiejar.New(nil) // has no error to return
	w := &way{transport: &http.Transport{}, served: map[string]int{}}
	t.Cleanup(w.transport.CloseIdleConnections)
	return &visitor{t, url, w, &http.Client{Jar: jar, Transport: w}}
}

// at is the same visitor at another address of the shop. Cookies know no
// ports, so all of this machine's addresses get the same ones.
func (v *visitor) at(url string) *visitor {
	there := *v
	there.url = url
	return &there
}

// A way is how requests get to the shop. It counts who has answered, and sees
// to it that the client does not make up for what is lost on the way, by
// sending it once more.
type way struct {
	transport *http.Transport
	forge     string // an X-Forwarded-For, if it is not empty

	mu     sync.Mutex
	served map[string]int // answers, by the server's name
}

func (w *way) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent atomic.Int32
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent.Add(1) },
	}))
	if w.forge != "" {
		r.Header.Set("X-Forwarded-For", w.forge)
	}
	answer, err := w.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if n := sent.Load(); n != 1 {
		answer.Body.Close()
		return nil, fmt.Errorf("it was sent %d times", n)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.served[answer.Header.Get("X-Served-By")]++
	return answer, nil
}

// answers is how many there were, from all servers.
func (w *way) answers() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, of := range w.served {
		n += of
	}
	return n
}

// A page is where a visitor ended up.
type page struct {
	status int
	path   string
	server string // that answered, as the load balancer calls it
	body   string
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
		v.t.Errorf("a request is lost: %v", err)
		return page{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Errorf("an answer ends before its end: %v", err)
	}
	return page{response.StatusCode, response.Request.URL.RequestURI(), response.Header.Get("X-Served-By"), string(body)}
}

// stay keeps a client from following redirects.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (v *visitor) add(slug string) page {
	v.t.Helper()
	return v.post("/cart/items", "product", slug, "quantity", "1")
}

func (v *visitor) signIn(name string) page {
	v.t.Helper()
	return v.post("/login", "email", strings.ToLower(name)+"@example.com", "password", "coat-check-"+strings.ToLower(name))
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

// name is the account that the page says the visitor is signed in to.
func (p page) name() string { return p.mark(`id="account-name"[^>]*>([^<]*)<`) }

// count is the number of pieces that the page says are in the cart.
func (p page) count() string { return p.mark(`id="cart-count"[^>]*>([^<]*)<`) }

func (p page) field(name string) string { return p.mark(`name="` + name + `"[^>]*value="([^"]*)"`) }

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
		t.Errorf("%s by %s: status %d, signed in as %q with %s pieces; want %q with %s", p.path, p.server, p.status, p.name(), p.count(), name, count)
	}
	return p
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
