package auth

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName  = 100 // characters
	maxEmail = 254 // bytes (RFC 5321, section 4.5.3.1.3, less the brackets)
)

// InvalidError says what is wrong with a sign-up, a sentence a field, for the
// visitor to read. A field that is well has none.
type InvalidError struct{ Name, Email, Password string }

func (e *InvalidError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("invalid sign-up: %s %s %s", e.Name, e.Email, e.Password))
}

func check(name, email, password string) error {
	invalid := InvalidError{Name: nameProblem(name), Email: emailProblem(email), Password: passwordProblem(password)}
	if invalid == (InvalidError{}) {
		return nil
	}
	return &invalid
}

func nameProblem(name string) string {
	switch {
	case name == "":
		return "Please tell us your name."
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Sprintf("Please use a name of at most %d characters.", maxName)
	case strings.ContainsFunc(name, unicode.IsControl):
		return "Please leave out characters that cannot be seen."
	}
	return ""
}

func emailProblem(email string) string {
	if email == "" {
		return "Please enter your e-mail address."
	}
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > maxEmail {
		return "That does not look like an e-mail address. It should be like name@example.com."
	}
	return ""
}

// normalEmail is the one form in which an address is kept and looked up.
func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
