package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestPagesAndAssetsAreCompressed(t *testing.T) {
	t.Parallel()
	b := open(t).browser()
	for _, path := range []string{"/", b.asset()} {
		plain := b.get(path).body // unpacked by the client
		r := b.request(http.MethodGet, path)
		r.Header.Set("Accept-Encoding", "gzip") // now it leaves that to us
		a := b.do(r).is(http.StatusOK)
		if a.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(a.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: encoding %q, vary %q", path, a.Header.Get("Content-Encoding"), a.Header.Get("Vary"))
			continue
		}
		unzip, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(unzip)
		if err != nil || string(unpacked) != plain || len(a.body) >= len(plain) {
			t.Errorf("%s: %d bytes unpack to %d, %v; the page has %d", path, len(a.body), len(unpacked), err, len(plain))
		}

		r.Header.Set("Accept-Encoding", "gzip;q=0")
		if a := b.do(r); a.Header.Get("Content-Encoding") != "" || a.body != plain {
			t.Errorf("%s: a client that wants no gzip gets %q", path, a.Header.Get("Content-Encoding"))
		}
	}
}

var assets = regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`)

// Every picture and style that a page names is there, every product's too.
func TestEveryAssetOfEveryPageIsThere(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	order := alice.order()
	alice.add("camel-overcoat")
	pictures := 0
	checked := map[string]bool{}
	for _, path := range []string{"/", "/products/camel-overcoat", "/cart", "/checkout", "/orders", order, "/nowhere"} {
		for _, m := range assets.FindAllStringSubmatch(alice.get(path).body, -1) {
			if checked[m[1]] {
				continue
			}
			checked[m[1]] = true
			a := alice.get(m[1]).is(http.StatusOK)
			if a.Header.Get("Content-Type") == "image/svg+xml" {
				pictures++
			}
		}
	}
	if products := s.number(`SELECT count(*) FROM products`); products < 12 || pictures < products {
		t.Errorf("there are %d products and %d pictures", products, pictures)
	}
}
