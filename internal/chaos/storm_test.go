package chaos_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

const (
	stormRate  = 200                    // sign-ins in a second
	pageRate   = 53                     // views of a page in a second; a prime, so that they do not keep time with the sign-ins
	turnedAway = 100 * time.Millisecond // is how soon whoever cannot be let in must know it
	// A page that comes while a password is hashed may find that the kernel,
	// or Go's scheduler, is not done with that: Go lets a computation go on for
	// this long before it looks for something else.
	slice = 10 * time.Millisecond
)

// Two hundred people sign in each second, some of whom have forgotten the
// password, and some of whom have no account. That is fifty times what a core
// can hash. A few of them get in; the others are told at once to come again;
// and whoever just looks at the coats notices little.
func TestStormOfSignInsLeavesTheOtherPagesAlone(t *testing.T) {
	if !*long {
		t.Parallel()
	}
	database := "DATABASE_URL=" + pgtest.URL(t)
	if code, out := process.Run(t, []string{database}, "seed"); code != 0 {
		t.Fatal(out)
	}
	shop := process.Open(t, append(unthrottled, database)...)
	st := &storm{t: t, url: shop.URL, chance: chance(t.Name())}
	// Calm and storm take turns, so that whatever else the machine does comes
	// in both.
	rounds, length := whole(6, 1), whole(5*time.Second, 500*time.Millisecond)
	st.look(length / 3) // at what is looked up once
	var calm, stormy []time.Duration
	for range rounds {
		calm = append(calm, st.look(length)...)
		var raging sync.WaitGroup
		raging.Go(func() { st.rage(length) })
		stormy = append(stormy, st.look(length)...)
		raging.Wait()
	}

	before, during, away := percentile(calm, 0.99), percentile(stormy, 0.99), percentile(st.away, 0.99)
	t.Logf("figures: %d sign-ins, %d a second: %d signed in, %d refused, %d turned away; of these 99%% knew it within %v, all within %v; those let in waited for %v at most; "+
		"meanwhile 99%% of %d pages came within %v, half within %v; in calm, within %v and %v",
		st.signedIn+st.refused+len(st.away), stormRate, st.signedIn, st.refused, len(st.away), tenth(away), tenth(percentile(st.away, 1)), ms(percentile(st.letIn, 1)),
		len(stormy), tenth(during), tenth(percentile(stormy, 0.5)), tenth(before), tenth(percentile(calm, 0.5)))
	if st.signedIn == 0 || st.refused == 0 || len(st.away) == 0 {
		t.Error("in a storm, some must be signed in, some refused, and some turned away")
	}
	// The storm is over, and so are its effects.
	if status, _ := st.signIn("bob@example.com", "coat-check-bob"); status != http.StatusSeeOther {
		t.Errorf("after the storm, Bob's sign-in is answered with %d", status)
	}
	if !*long {
		return // too short to say how long anything takes
	}
	if away > turnedAway {
		t.Errorf("it takes %v to be turned away", away)
	}
	if limit := 3*before + slice; during > limit {
		t.Errorf("in the storm the pages take %v, and %v before; want %v at most", during, before, limit)
	}
}

// A storm is many people who want to sign in.
type storm struct {
	t      *testing.T
	url    string
	chance *rand.Rand

	mu                sync.Mutex
	signedIn, refused int
	letIn, away       []time.Duration // how long it took to know
	faults            int
}

// look views a page again and again, and gives how long each view took from
// when it was due.
func (st *storm) look(length time.Duration) []time.Duration {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: pageRate}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, int(length.Seconds()*pageRate))
	steadily(pageRate, len(took), func(i int, due time.Time) {
		answer, err := client.Get(st.url + "/")
		if err != nil {
			st.fault("a page does not come: %v", err)
			return
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
			st.fault("a page comes with %d, %v", answer.StatusCode, err)
		}
		took[i] = time.Since(due)
	})
	return took
}

// steadily does something so many times, at a rate that does not depend on how
// long it takes: the next visitor knows nothing of the one before.
func steadily(perSecond, times int, do func(i int, due time.Time)) {
	var all sync.WaitGroup
	start := time.Now()
	for i := range times {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		<-time.After(time.Until(due))
		all.Go(func() { do(i, due) })
	}
	all.Wait()
}

// rage signs in, again and again.
func (st *storm) rage(length time.Duration) {
	people := []struct{ email, password string }{
		{"alice@example.com", "coat-check-alice"},
		{"bob@example.com", "coat-check-bob"},
		{"alice@example.com", "a wrong guess"},
		{"bob@example.com", "coat-check-alice"},
		{"nobody@example.com", "a wrong guess"},
	}
	times := int(length.Seconds() * stormRate)
	who := make([]int, times)
	for i := range who {
		if who[i] = i; i >= len(people) { // the first of them, who are let in, are one of each
			who[i] = st.chance.IntN(len(people))
		}
	}
	steadily(stormRate, times, func(i int, due time.Time) {
		p, known := people[who[i]], who[i] < 2
		status, retryAfter := st.signIn(p.email, p.password)
		took := time.Since(due)
		isAway := status == http.StatusServiceUnavailable && retryAfter != ""
		isIn, isRefused := status == http.StatusSeeOther && known, status == http.StatusUnprocessableEntity && !known
		if !isAway && !isIn && !isRefused {
			st.fault("%s with %q is answered with %d, Retry-After %q", p.email, p.password, status, retryAfter)
			return
		}
		st.mu.Lock()
		defer st.mu.Unlock()
		switch {
		case isAway:
			st.away = append(st.away, took)
			return
		case isIn:
			st.signedIn++
		default:
			st.refused++
		}
		st.letIn = append(st.letIn, took)
	})
}

// signIn sends the form on a connection of its own.
func (st *storm) signIn(email, password string) (status int, retryAfter string) {
	form := url.Values{"email": {email}, "password": {password}}.Encode()
	r, err := http.NewRequest(http.MethodPost, st.url+"/login", strings.NewReader(form))
	if err != nil {
		panic(err) // the test is wrong
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Close = true
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		st.fault("a sign-in is not answered: %v", err)
		return 0, ""
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, answer.Header.Get("Retry-After")
}

// fault reports what must not be. Of many only the first are shown.
func (st *storm) fault(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.faults++; st.faults <= 10 {
		st.t.Errorf(format, args...)
	}
}

func tenth(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
