// Package money counts in US cents, as integers, so that no sum is ever off
// by a rounding.
package money

import (
	"strconv"
	"strings"
)

// Cents is an amount of US dollars, in cents.
type Cents int64

// String writes the amount the way a price tag does: $1,290.00.
func (c Cents) String() string {
	sign := ""
	n := uint64(c)
	if c < 0 {
		sign, n = "-", -n
	}
	dollars := strconv.FormatUint(n/100, 10)
	var b strings.Builder
	for i, digit := range dollars {
		if i > 0 && (len(dollars)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	cents := strconv.FormatUint(n%100, 10)
	if len(cents) == 1 {
		cents = "0" + cents
	}
	return sign + "$" + b.String() + "." + cents
}

// Times is the amount for n pieces.
func (c Cents) Times(n int) Cents { return c * Cents(n) }
