package money_test

import (
	"math"
	"testing"

	"coatcheck/internal/money"
)

func TestCentsReadLikeAPriceTag(t *testing.T) {
	for cents, want := range map[money.Cents]string{
		0:             "$0.00",
		5:             "$0.05",
		99:            "$0.99",
		100:           "$1.00",
		99_999:        "$999.99",
		129_000:       "$1,290.00",
		123_456_789:   "$1,234,567.89",
		-2_50:         "-$2.50",
		math.MinInt64: "-$92,233,720,368,547,758.08",
	} {
		if got := cents.String(); got != want {
			t.Errorf("money.Cents(%d).String() = %q, want %q", int64(cents), got, want)
		}
	}
}
