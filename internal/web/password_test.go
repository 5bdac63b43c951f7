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
// clipboard may do the typing. There is no script that could hinder them, and
// no attribute may.
func TestPasswordFieldsHideAndHelp(t *testing.T) {
	t.Parallel()
	b := open(t).browser()
	for _, path := range []string{"/login", "/signup"} {
		fields := passwordFields.FindAllString(b.get(path).is(http.StatusOK).body, -1)
		if len(fields) == 0 {
			t.Errorf("%s has no field for a password", path)
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
