package view_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"coatcheck/internal/view"
)

func address(t *testing.T, content string) string {
	t.Helper()
	assets, err := view.NewAssets(files("css/shop.css", content))
	if err != nil {
		t.Fatal(err)
	}
	at, err := assets.Address("css/shop.css")
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Browsers keep an asset for ever, so other content must have another address.
func TestAddressChangesWithTheContent(t *testing.T) {
	t.Parallel()
	a, again, b := address(t, "a{}"), address(t, "a{}"), address(t, "b{}")
	if a != again || a == b || !strings.HasPrefix(a, "/static/css/shop.") || !strings.HasSuffix(a, ".css") {
		t.Errorf("the addresses are %s, %s and %s", a, again, b)
	}
}

func TestAssetIsServedAsTheBrowserCanTakeIt(t *testing.T) {
	t.Parallel()
	css := strings.Repeat("a{color:red}", 100)
	assets, err := view.NewAssets(files("shop.css", css, "tiny.css", "a{}", "embed.go", "package static"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, accepts string
		zipped        bool
	}{
		{"shop.css", "", false},
		{"shop.css", "gzip", true},
		{"shop.css", "br, GZIP ;q=0.5", true},
		{"shop.css", "br;q=1.0, gzip;q=0", false},
		{"shop.css", "gzip; q=0", false},
		{"shop.css", "xgzip", false},
		{"tiny.css", "gzip", false}, // gzip would make it larger
	} {
		at, err := assets.Address(c.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r := httptest.NewRequest(method, at, nil)
			r.Header.Set("Accept-Encoding", c.accepts)
			w := httptest.NewRecorder()
			if !assets.Serve(w, r) {
				t.Fatalf("%s is not served", at)
			}
			h := w.Header()
			if (h.Get("Content-Encoding") == "gzip") != c.zipped || h.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(h.Get("Cache-Control"), "immutable") {
				t.Errorf("%s %s with Accept-Encoding %q: %v", method, c.name, c.accepts, h)
			}
			if (h.Get("Vary") == "Accept-Encoding") != (c.name == "shop.css") {
				t.Errorf("%s: Vary is %q", c.name, h.Get("Vary"))
			}
			if method == http.MethodHead {
				if w.Body.Len() != 0 {
					t.Errorf("HEAD %s has a body", c.name)
				}
				continue
			}
			if h.Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
				t.Errorf("%s: Content-Length is %s of %d", c.name, h.Get("Content-Length"), w.Body.Len())
			}
			if c.zipped {
				unzip, err := gzip.NewReader(w.Body)
				if err != nil {
					t.Fatal(err)
				}
				if body, err := io.ReadAll(unzip); string(body) != css || err != nil {
					t.Errorf("%s unzips to %d bytes, %v", c.name, len(body), err)
				}
			}
		}
	}
}

// A product that nobody has drawn yet must not break the page it is on.
func TestProductWithoutADrawingIsABareHanger(t *testing.T) {
	t.Parallel()
	assets, err := view.NewAssets(files("products/coat.svg", "<svg/>", "products/none.svg", "<svg></svg>"))
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"products/coat.svg": "products/coat.svg", "products/new.svg": "products/none.svg"} {
		want, err := assets.Address(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := assets.Picture(name); got != want || err != nil {
			t.Errorf("Picture(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestOtherPathsAreNoAssets(t *testing.T) {
	t.Parallel()
	assets, err := view.NewAssets(files("shop.css", "a{}", "embed.go", "package static"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/static/shop.css", "/static/shop.000000000000.css", "/static/", "/static/embed.go", "/static/../go.mod"} {
		w := httptest.NewRecorder()
		if assets.Serve(w, httptest.NewRequest(http.MethodGet, path, nil)) || w.Body.Len() != 0 {
			t.Errorf("%s is served", path)
		}
	}
	if _, err := assets.Address("embed.go"); err == nil {
		t.Error("Go source has an address")
	}
}

func TestAssetOfUnknownTypeIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := view.NewAssets(files("x.unheard-of", "")); err == nil || !strings.Contains(err.Error(), "x.unheard-of") {
		t.Errorf("NewAssets: %v, want an error that names the file", err)
	}
}
