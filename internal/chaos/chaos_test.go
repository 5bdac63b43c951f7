// Package chaos_test breaks the things that the shop stands on, while people
// shop, and counts what they lose. "go test" runs a short form of each fault;
// "make chaos" runs the whole, whose figures stand in docs/reliability.md.
package chaos_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
)

var (
	long = flag.Bool("long", false, "run each fault in full")
	seed = flag.Uint64("seed", 0, "what chance is made of; 0: something new")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	os.Stderr.WriteString("chaos: repeat with -seed=" + strconv.FormatUint(*seed, 10) + "\n")
	process.Main(m)
}

// chance is a source of random numbers that the seed and a name decide.
func chance(name string) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(*seed, h))
}

// whole picks the size of the full fault or of its short form.
func whole[T any](full, short T) T {
	if *long {
		return full
	}
	return short
}

// percentile gives the time that the given share of them does not exceed.
func percentile(times []time.Duration, share float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
