package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

var passwordFields = regexp.MustCompile(`<input[^>]*name="(?:[a-z]+_)?password"[^>]*>`)

// ASVS 6.2.6, 6.2.7: nobody reads along, and a password manager or the
// clipboard may do the typing. The one script looks at no field, and no
// attribute may hinder them.
func TestPasswordFieldsHideAndHelp(t *testing.T) {
	t.Parallel()
	s := open(t)
	stranger, admin := s.browser(), s.signedInAs("admin")
	s.clock.advance(10 * time.Minute) // so that the password is asked for again
	for path, want := range map[string]struct {
		b      *browser
		fields int
	}{
		"/login": {stranger, 1}, "/signup": {stranger, 1},
		"/account": {admin, 3}, "/account/sessions": {admin, 1}, "/admin": {admin, 1},
	} {
		fields := passwordFields.FindAllString(want.b.get(path).is(http.StatusOK).body, -1)
		if len(fields) != want.fields {
			t.Errorf("%s has %d fields for a password, want %d", path, len(fields), want.fields)
		}
		for _, field := range fields {
			if !strings.Contains(field, ` type="password"`) || !strings.Contains(field, `-password"`) || strings.Contains(field, `autocomplete="off"`) {
				t.Errorf("%s: %s; want a hidden field that password managers know", path, field)
			}
			for _, hindrance := range []string{"onpaste", "readonly", "pattern", "maxlength"} {
				if strings.Contains(field, hindrance) {
					t.Errorf("%s: %s; there is a %s in it", path, field, hindrance)
				}
			}
		}
	}
}

// ASVS 6.2.10
func TestPasswordDoesNotAge(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.clock.advance(10 * 365 * 24 * time.Hour)
	s.signedInAs("alice").get("/orders").is(http.StatusOK)
}
