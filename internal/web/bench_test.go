package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/web"
	"coatcheck/internal/xray"
)

// What the X-ray costs: the same requests, with and without it. A POST is
// recorded and nothing else; a page has the panel to render, too.
//
//	go test -run '^$' -bench XRay -count 6 ./internal/web
func BenchmarkXRay(b *testing.B) {
	off := openOn(b, pgtest.New(b), unhurried)
	on := openOn(b, pgtest.NewTraced(b, xray.Tracer{}), demo, unhurried)
	for name, s := range map[string]*shop{"off": off, "on": on} {
		alice := s.signedInAs("alice")
		alice.add("camel-overcoat")
		ticket := &http.Cookie{Name: "session", Value: alice.ticket()}
		form := url.Values{"quantity": {"2"}}.Encode()
		for what, request := range map[string]func() *http.Request{
			"page": func() *http.Request { return httptest.NewRequest(http.MethodGet, "/", nil) },
			"post": func() *http.Request {
				r := httptest.NewRequest(http.MethodPost, "/cart/items/camel-overcoat", strings.NewReader(form))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				return r
			},
		} {
			b.Run(what+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						r := request()
						r.AddCookie(ticket)
						w := httptest.NewRecorder()
						s.ServeHTTP(w, r)
						if w.Code >= 400 {
							b.Errorf("%d", w.Code)
							return
						}
					}
				})
			})
		}
	}
}

// What it costs to compress a page, for a browser that takes it so.
//
//	go test -run '^$' -bench Compressed -count 6 ./internal/web
func BenchmarkCompressed(b *testing.B) {
	s := openOn(b, pgtest.New(b), unhurried)
	s.listening()
	for _, encoding := range []string{"identity", "gzip"} {
		b.Run(encoding, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.Header.Set("Accept-Encoding", encoding)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				b.ReportMetric(float64(w.Body.Len()), "B/page")
			}
		})
	}
}

// demo makes a shop that shows what it does.
func demo(c *web.Config) { c.Demo = true }

// unhurried makes a shop that counts no changes of carts.
func unhurried(c *web.Config) { c.CartRate = 1 << 30 }
