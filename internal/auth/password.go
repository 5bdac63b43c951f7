package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"
	"github.com/ccojocar/zxcvbn-go/frequency"
	"golang.org/x/crypto/bcrypt"
)

// A password may be anything of this many characters: no rule says which
// kinds (ASVS 5.0 V6.2.1, V6.2.5, V6.2.9).
const (
	minPassword = 8
	maxPassword = 1000
)

// digest makes a password fit for bcrypt, which looks at 72 bytes at most and
// stops at a NUL: whatever its length, the password goes in whole, as the 64
// letters of an HMAC-SHA-384 keyed with the pepper.
func (u *Users) digest(password string) []byte {
	mac := hmac.New(sha512.New384, u.pepper)
	mac.Write([]byte(password))
	return base64.StdEncoding.AppendEncode(nil, mac.Sum(nil))
}

func (u *Users) hash(password string) (string, error) {
	hash, err := bcrypt.GenerateFromPassword(u.digest(password), u.cost)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return string(hash), nil
}

// hashInTurn waits until it may hash, or returns a *BusyError at once.
func (u *Users) hashInTurn(ctx context.Context, password string) (string, error) {
	if err := u.turns.enter(); err != nil {
		return "", err
	}
	defer u.turns.leave()
	if err := u.turns.take(ctx); err != nil {
		return "", err
	}
	defer u.turns.giveBack()
	defer hashing(ctx)()
	return u.hash(password)
}

// passwordProblem says what is wrong with a new password, or nothing.
func passwordProblem(password string) string {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return fmt.Sprintf("Please choose a password of at least %d characters.", minPassword)
	case n > maxPassword:
		return fmt.Sprintf("Please choose a password of at most %d characters.", maxPassword)
	case common(password):
		return "That password is one of the first that a guesser tries. Please choose another; three or four words in a row are a good one."
	}
	return ""
}

const (
	tries  = 3000 // how many of the commonest passwords are refused (ASVS 5.0 V6.2.4)
	judged = 100  // bytes of a password that are judged; more would only take longer
)

var commonPasswords = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for _, p := range frequency.Lists["Passwords"].List {
		set[p] = true
	}
	return set
})

// common reports whether a password is on the list of common ones, or would
// be among the first tries of a guesser who starts from such lists, from
// names, words and rows of keys, as zxcvbn reckons it.
func common(password string) bool {
	if commonPasswords()[strings.ToLower(password)] {
		return true
	}
	if len(password) > judged {
		password = password[:judged]
	}
	return zxcvbn.PasswordStrength(password, nil).Entropy <= math.Log2(tries)
}
