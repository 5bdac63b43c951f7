package web

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// ASVS 3.7.2: wherever a visitor asks to be led, it is somewhere on this site.
func FuzzNext(f *testing.F) {
	for _, next := range []string{
		"", "/", "/orders?a=1&b=2#c", "orders", "//evil.example", "///evil.example", `/\evil.example`, `\/evil.example`,
		"/\t/evil.example", "\x01//evil.example", "/.//evil.example", "/a/..//evil.example", "/%2f/evil.example", "/%5cevil.example",
		"https:evil.example", "https:/evil.example", "HTTPS://evil.example", "javascript:alert(1)", "//user@evil.example", "/@evil.example",
		"/a:b@evil.example", "?//evil.example", "#//evil.example", "/login", "/%6cogin", "/;//evil.example", "/\u2028/evil.example", "/ü", "/%zz", "//[::1",
	} {
		f.Add(next)
	}
	f.Fuzz(func(t *testing.T, next string) {
		path := localPath(next)
		if again := localPath(path); again != path {
			t.Errorf("%q leads to %q, and that to %q", next, path, again)
		}
		staysHere(t, path)
		switch path {
		case "/login", "/signup", "/logout":
			t.Errorf("%q leads to %s", next, path)
		}

		// As it is sent in the end.
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequest(http.MethodPost, "/login", nil), path, http.StatusSeeOther)
		staysHere(t, w.Header().Get("Location"))

		address := signInAddress(next)
		staysHere(t, address)
		if u, err := url.Parse(address); err != nil || u.Path != "/login" || localPath(u.Query().Get("next")) != path {
			t.Errorf("%q is handed on as %q, %v; want it to lead to %q", next, address, err, path)
		}
	})
}

func staysHere(t *testing.T, address string) {
	t.Helper()
	here, err := url.Parse("https://shop.example/login?next=x")
	if err != nil {
		t.Fatal(err)
	}
	to, err := here.Parse(address)
	if err != nil || to.Scheme != "https" || to.Host != "shop.example" || to.User != nil {
		t.Errorf("%q leads to %v, %v", address, to, err)
	}
	if leaves(address) {
		t.Errorf("to a browser %q is on another site", address)
	}
}

// leaves reads an address as browsers do (the WHATWG's URL standard, section
// 4.4, with an https page as the base): what cannot be seen at the ends and
// line breaks and tabs anywhere are dropped, and a backslash is a slash.
func leaves(address string) bool {
	address = strings.TrimFunc(address, func(c rune) bool { return c <= ' ' })
	address = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(address)
	before, _, colon := strings.Cut(address, ":")
	return strings.HasPrefix(address, "//") || colon && !strings.ContainsAny(before, "/?#")
}

// Whatever is sent, it is either a form with clean text in it or a problem
// that the visitor can be told.
func FuzzForm(f *testing.F) {
	const usual = "application/x-www-form-urlencoded"
	for _, body := range []string{
		"", "product=camel-overcoat&quantity=1", "a=1&a=2", "a=%00", "a=%ff", "%00=1", "a=%zz", "a=1;b=2", "a", "=", "&&", "a=1&%61=2",
		"a=%F0%9F%A7%A5", "a=\xc3(", "a=+%2B", strings.Repeat("a", 1<<10), "name=A&address=1%0d%0aRoad",
	} {
		f.Add(usual, body)
	}
	for _, contentType := range []string{"", "text/plain", usual + "; charset=utf-8", usual + "; charset=latin1", usual + ";=", "multipart/form-data; boundary=x", "APPLICATION/X-WWW-FORM-URLENCODED", "\xff", usual + ", text/plain"} {
		f.Add(contentType, "a=1")
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		r := httptest.NewRequest(http.MethodPost, "/cart/items?quantity=1000", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		form, err := readForm(httptest.NewRecorder(), r)
		if err != nil {
			told, ok := errors.AsType[*problem](err)
			if !ok || told.Status < 400 || told.Status > 499 || form != nil {
				t.Errorf("%q, %q: %v, and the form is %v", contentType, body, err, form)
			}
			return
		}
		for name, values := range form {
			if len(values) != 1 || !utf8.ValidString(values[0]) || strings.ContainsRune(values[0], 0) {
				t.Errorf("the field %q is %q", name, values)
			}
		}
		// Nothing of the address, and nothing left out.
		if sent, err := url.ParseQuery(body); err != nil || !maps.EqualFunc(sent, url.Values(form), slices.Equal) {
			t.Errorf("%q was sent, and the form is %v", body, form)
		}
	})
}
