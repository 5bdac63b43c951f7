package sessions

import (
	"net/http"
	"strings"
	"testing"
)

// Whatever the Cookie header says, the outcome is an ID of our own shape or
// none at all; and a cookie that comes twice is none at all.
func FuzzCookie(f *testing.F) {
	good, evil := string(newID()), string(newID())
	for _, name := range []string{"session", "__Host-session"} {
		for _, lines := range []string{
			name + "=" + good,
			name + "=" + good + "; " + name + "=" + evil,
			name + "=" + good + "\n" + name + "=" + evil,
			name + "=" + good + "; other=1; " + name + "=",
			name + `="` + good + `"`,
			name + "=" + good + "=", name + "=" + good[1:], " " + name + " = " + good + " ",
			name + "=" + good[:42] + "\x00", name + "=" + good[:21] + "\r" + good[22:],
			name + "=" + strings.Repeat("A", 44), name + "=" + strings.Repeat("=", 43), name, name + ";=;;", "",
		} {
			f.Add(lines, strings.HasPrefix(name, "__Host-"))
		}
	}
	f.Add(strings.Repeat("A", 42)+"\n", false)
	f.Fuzz(func(t *testing.T, lines string, secure bool) {
		if parsed, ok := parseID(lines); ok { // also what net/http would not let through
			looksLikeOurs(t, parsed)
		}
		c := newCookie(secure)
		r := &http.Request{Header: http.Header{"Cookie": strings.Split(lines, "\n")}}
		got, ticket := c.read(r)
		if ticket != TicketLive {
			if got != "" {
				t.Errorf("a ticket that is %s has the ID %q", ticket, got)
			}
			return
		}
		looksLikeOurs(t, got)
		if n := wellFormed(lines, c.name); n != 1 {
			t.Errorf("the ID %q was taken from %d cookies: %q", got, n, lines)
		}
	})
}

func looksLikeOurs(t *testing.T, i id) {
	t.Helper()
	if len(i) != idLetters || strings.Trim(string(i), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("the ID %q was taken", i)
	}
	if again, ok := parseID(string(i)); !ok || again != i {
		t.Errorf("the ID %q reads as %q, %t", i, again, ok)
	}
	bytes, err := idCoding.DecodeString(string(i))
	if err != nil || idCoding.EncodeToString(bytes) != string(i) {
		t.Errorf("the ID %q is another way to write %q, %v", i, idCoding.EncodeToString(bytes), err)
	}
}

// wellFormed counts the cookies of a name by hand, as RFC 6265 writes them.
func wellFormed(lines, name string) (n int) {
	for _, pair := range strings.FieldsFunc(lines, func(c rune) bool { return c == ';' || c == '\n' }) {
		key, value, _ := strings.Cut(strings.Trim(pair, " \t\r"), "=")
		if len(value) > 1 && strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`) {
			value = value[1 : len(value)-1]
		}
		odd := func(c rune) bool { return c < ' ' || c >= 0x7f || c == '"' || c == '\\' }
		if strings.Trim(key, " \t") == name && !strings.ContainsFunc(value, odd) {
			n++
		}
	}
	return n
}
