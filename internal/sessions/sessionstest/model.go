package sessionstest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// The model is the contract of Store in its plainest form: a list of sessions,
// and one call after the other. A history of calls that overlapped is in order
// if there is a way to line them up, each at a moment between its beginning and
// its end, in which the model would have answered each as the store has
// (Herlihy and Wing, "Linearizability", 1990). Porcupine looks for that way.

// coat is a session as the model has it. Its number says which it is and when
// it was made: of two, the one with the higher number is the newer.
type coat struct {
	number int
	idle   int // the deadline, in seconds more than at first
	user   bool
	root   int // the number under which it became the user's; 0 for a guest's
}

// call is what a client asked of the store; answer what it got.
type call struct {
	name string
	of   int // the session it was about
	to   int // for Move: the session to be made
	user bool
	idle int // for Touch
	keep int // for DeleteByUser, DeleteOldest; 0 for none
	most int // for DeleteOldest
	// before says, for DeleteByUser in steps, which sessions were made before it
	// was called.
	before map[int]bool
}

type answer struct {
	found bool
	coat  coat // that Load gave
	n     int  // how many were ended
	list  string
}

// words says what a call was and what it was answered.
func words(c call, a answer) string {
	about := fmt.Sprint(c.of)
	came := "ok"
	if !a.found {
		came = "not found"
	}
	switch c.name {
	case "Create":
		if !c.user {
			about += " (a guest's)"
		}
	case "Load":
		if a.found {
			came = fmt.Sprintf("%d(+%d)", a.coat.number, a.coat.idle)
		}
	case "Touch":
		about += fmt.Sprintf("(+%d)", c.idle)
	case "Move":
		about += fmt.Sprintf(" to %d", c.to)
	case "DeleteByUser":
		about, came = fmt.Sprintf("but %d", c.keep), fmt.Sprint(a.n)
	case "DeleteOldest":
		about, came = fmt.Sprintf("but %d and %d more", c.keep, c.most-1), fmt.Sprint(a.n)
	case "ByUser":
		about, came = "", a.list
	}
	return fmt.Sprintf("%s %s: %s", c.name, about, came)
}

// model answers calls about the sessions of one user and of guests.
var model = porcupine.Model{
	Init: func() any { return []coat(nil) },
	Step: func(state, input, output any) (bool, any) {
		want, after := step(state.([]coat), input.(call))
		return want == output.(answer), after
	},
	Equal: func(a, b any) bool { return slices.Equal(a.([]coat), b.([]coat)) },
}

// stepwise answers those about a store whose calls that end many sessions take
// several steps, between which others are served. Which they have ended they
// decide a moment before it is done; so what comes to be meanwhile may be left.
// But DeleteByUser that keeps none leaves nothing that was the user's when it
// was called, nor what that has moved to.
var stepwise = porcupine.NondeterministicModel{
	Init: func() []any { return []any{[]coat(nil)} },
	Step: func(state, input, output any) (after []any) {
		coats, c, a := state.([]coat), input.(call), output.(answer)
		switch {
		case c.name != "DeleteByUser" && c.name != "DeleteOldest":
			if want, left := step(coats, c); want == a {
				after = append(after, left)
			}
		case a.n == 1: // one of its steps
			for i, k := range coats {
				if k.user && k.number != c.keep {
					after = append(after, slices.Delete(slices.Clone(coats), i, i+1))
				}
			}
		case !slices.ContainsFunc(coats, func(k coat) bool { return c.before[k.root] }):
			after = append(after, coats)
		}
		return after
	},
	Equal: model.Equal,
}

// inSteps makes of each call that ended n sessions n that ended one, and of
// DeleteByUser that keeps none one more, which finds nothing left to end.
func inSteps(ops []porcupine.Operation) (steps []porcupine.Operation) {
	for _, op := range ops {
		c, a := op.Input.(call), op.Output.(answer)
		if c.name != "DeleteByUser" && c.name != "DeleteOldest" {
			steps = append(steps, op)
			continue
		}
		for range a.n {
			one := op
			one.Output = answer{found: true, n: 1}
			steps = append(steps, one)
		}
		if c.name == "DeleteOldest" || c.keep != 0 {
			continue
		}
		c.before = map[int]bool{}
		for _, other := range ops {
			switch made := other.Input.(call); {
			case other.Return >= op.Call:
			case made.name == "Create":
				c.before[made.of] = true
			case made.name == "Move":
				c.before[made.to] = true
			}
		}
		a.n = 0
		op.Input, op.Output = c, a
		steps = append(steps, op)
	}
	return steps
}

// step is what a call would be answered, and what would be there after it. The
// coats are in the order of their numbers.
func step(coats []coat, c call) (answer, []coat) {
	at := slices.IndexFunc(coats, func(k coat) bool { return k.number == c.of })
	found := answer{found: at >= 0}
	without := func(doomed func(coat) bool) []coat {
		return slices.DeleteFunc(slices.Clone(coats), doomed)
	}
	ended := func(doomed func(coat) bool) (answer, []coat) {
		left := without(doomed)
		return answer{found: true, n: len(coats) - len(left)}, left
	}
	switch c.name {
	case "Create":
		k := coat{number: c.of, user: c.user}
		if c.user {
			k.root = c.of
		}
		return answer{found: true}, hang(coats, k)
	case "Load":
		if at >= 0 {
			found.coat = coats[at]
			found.coat.root = 0 // no store knows that
		}
	case "Touch":
		if at >= 0 && coats[at].idle < c.idle {
			coats = slices.Clone(coats)
			coats[at].idle = c.idle
		}
	case "Move":
		if at >= 0 {
			k := coat{number: c.to, user: true, root: cmp.Or(coats[at].root, c.to)}
			coats = hang(without(func(k coat) bool { return k.number == c.of }), k)
		}
	case "Delete":
		coats = without(func(k coat) bool { return k.number == c.of })
	case "DeleteHandle":
		if found.found = at >= 0 && coats[at].user; found.found {
			coats = without(func(k coat) bool { return k.number == c.of })
		}
	case "DeleteByUser":
		kept := slices.ContainsFunc(coats, func(k coat) bool { return k.user && k.number == c.keep })
		return ended(func(k coat) bool { return k.user && k.number != c.keep && (kept || c.keep == 0) })
	case "DeleteOldest":
		var others []int
		for _, k := range slices.Backward(coats) {
			if k.user && k.number != c.keep {
				others = append(others, k.number)
			}
		}
		doomed := others[min(c.most-1, len(others)):]
		return ended(func(k coat) bool { return slices.Contains(doomed, k.number) })
	case "ByUser":
		return answer{found: true, list: listed(without(func(k coat) bool { return !k.user }))}, coats
	}
	return found, coats
}

func hang(coats []coat, k coat) []coat {
	at, _ := slices.BinarySearchFunc(coats, k.number, func(k coat, n int) int { return k.number - n })
	return slices.Insert(slices.Clone(coats), at, k)
}

// listed writes a list of coats down, the newest first.
func listed(coats []coat) string {
	var b strings.Builder
	for _, k := range slices.Backward(coats) {
		fmt.Fprintf(&b, "%d(+%d) ", k.number, k.idle)
	}
	return b.String()
}
