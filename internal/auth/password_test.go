package auth_test

import (
	"errors"
	"strings"
	"testing"

	"coatcheck/internal/auth"
)

// ASVS 6.2.1, 6.2.4, 6.2.5, 6.2.9
func TestWhichPasswordsAreTaken(t *testing.T) {
	t.Parallel()
	users := open(t, auth.Config{})
	for password, taken := range map[string]bool{
		"":                        false,
		"xq7vkz2":                 false, // seven characters
		"xq7vkz2w":                true,  // eight
		"éñøžłßğ":                 false, // seven characters in more bytes
		"éñøžłßğü":                true,
		"🧥🎩🧣🧤👢👒🥾☂":                true,
		"🧥🎩🧣🧤👢👒🥾":                 false,
		"with some spaces":        true,
		"        ":                false, // as easy to guess as it looks
		" qxv kz w ":              true,
		"onlysmallletterscoat":    true, // no rule says which kinds
		"ONLYCAPITALSCOATHANGERS": true,
		"493817602558":            true,
		"!§$%&/()=?":              true,
		"nul\x00inside-is-fine":   true,
		"password":                false, // one of the commonest
		"PASSWORD":                false,
		"12345678":                false,
		"qwertyuiop":              false,
		"iloveyou":                false,
		"football":                false,
		"sunshine":                false,
		"aaaaaaaa":                false,
		strings.Repeat("é", 1000): true,
		strings.Repeat("é", 1001): false,
	} {
		err := users.SignUp(t.Context(), "Alice", "alice@example.com", password)
		invalid, refused := errors.AsType[*auth.InvalidError](err)
		switch {
		case err != nil && !refused:
			t.Errorf("%q: %v", password, err)
		case refused == taken:
			t.Errorf("%q is taken: %v; want %v", password, !refused, taken)
		case refused && (invalid.Password == "" || invalid.Name != "" || invalid.Email != ""):
			t.Errorf("%q: %+v", password, invalid)
		}
	}
}

// A password counts in full, as it was typed (ASVS 6.2.8).
func TestPasswordCountsInFull(t *testing.T) {
	t.Parallel()
	emoji := strings.Repeat("🧥🎩🧣🧤", 16) // 64 characters, 256 bytes
	for name, c := range map[string]struct{ password, almost string }{
		"the last of 64 emoji":   {emoji, strings.TrimSuffix(emoji, "🧤") + "🧢"},
		"a byte after the 72nd":  {strings.Repeat("coat ", 20) + "a", strings.Repeat("coat ", 20) + "b"},
		"the end of a long one":  {strings.Repeat("coat ", 20) + "a", strings.Repeat("coat ", 20)},
		"what follows a NUL":     {"hanger\x00and coat", "hanger\x00and hat"},
		"a space in front":       {" hanger and coat", "hanger and coat"},
		"a space behind":         {"hanger and coat ", "hanger and coat"},
		"two spaces":             {"hanger  and coat", "hanger and coat"},
		"capitals":               {"Hanger And Coat", "hanger and coat"},
		"an accent":              {"hänger and coat", "hanger and coat"},
		"composed or decomposed": {"h\u00e4nger and coat", "ha\u0308nger and coat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			users := open(t, auth.Config{})
			signUp(t, users, "alice@example.com", c.password)
			wantSignIn(t, users, "alice@example.com", c.almost, false)
			wantSignIn(t, users, "alice@example.com", c.password, true)
		})
	}
}
