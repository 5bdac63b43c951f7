package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxBody is the largest form that is read, in bytes. The longest honest one
// is a password of a thousand characters.
const maxBody = 64 << 10

// form is what a visitor sent: fields by name, each at most once, each valid
// text.
type form url.Values

// readForm reads the body of a POST; what the address carries behind its
// question mark is no part of it. Its errors are problems to show.
func readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	contentType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || contentType != "application/x-www-form-urlencoded" {
		return nil, &problem{http.StatusUnsupportedMediaType, "Not a form of ours", "What was sent is not one of the shop's forms. Please use the form on the page."}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	start := clockOf(r.Context()).stop()
	err = r.ParseForm()
	start()
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, &problem{http.StatusRequestEntityTooLarge, "Too much at once", "What was sent is larger than any form of ours. Please shorten it and try again."}
		}
		return nil, &problem{http.StatusBadRequest, "Not readable", "We could not read what was sent. Please use the form on the page and try again."}
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return nil, &problem{http.StatusUnprocessableEntity, "Twice the same", "A field of the form came twice, and we cannot know which one you mean. Please use the form on the page and try again."}
		}
		if !isText(values[0]) {
			return nil, &problem{http.StatusUnprocessableEntity, "Not readable", "What was sent has characters in it that are no text. Please type it anew."}
		}
	}
	return form(r.PostForm), nil
}

// isText reports whether Postgres can keep s as text: UTF-8 without NUL.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

func (f form) get(name string) string { return url.Values(f).Get(name) }

// quantity reads a number of pieces; ok says whether it is one from least to most.
func (f form) quantity(least, most int) (n int, ok bool) {
	n, err := strconv.Atoi(strings.TrimSpace(f.get("quantity")))
	return n, err == nil && n >= least && n <= most
}

// localPath makes an address to go to out of what a form or a link asked for:
// a path on this site, or else "/". Everything that a browser could read as
// another site is refused: //evil.example, /\evil.example, https:evil.example,
// control characters that browsers drop (ASVS 5.0 V3.7.2).
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsRune(next, '\\') || !isText(next) {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	switch u.Path {
	case "/login", "/signup", "/logout":
		return "/" // a signed-in visitor has no business there
	}
	return u.String()
}

// signInAddress is the sign-in page that leads on to next.
func signInAddress(next string) string {
	if next = localPath(next); next == "/" {
		return "/login"
	}
	return "/login?" + url.Values{"next": {next}}.Encode()
}
