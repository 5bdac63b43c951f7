package stores_test

import (
	"errors"
	"testing"
	"time"

	"coatcheck/internal/sessions"
)

// overfull is more sessions than there is room for where there is little.
const overfull = 6000

// fill files sessions of guests and of users until the store takes no more, or
// so many are in it, and gives their keys.
func fill(t *testing.T, st sessions.Store, most int) (filed []sessions.Key, refused error) {
	t.Helper()
	keys := some(most)
	for i, k := range keys {
		if err := file(t.Context(), st, k, int64(i%2*(i+2))); err != nil {
			return keys[:i], err
		}
	}
	return keys, nil
}

// everybodys finds out whether a list of all is to be relied on.
func everybodys(t *testing.T, _ column, p place) string {
	st := p.shop()
	if _, err := fill(t, st, 200); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := st.Each(t.Context(), func(sessions.Session) error { n++; return nil }); err != nil || n != 200 {
		t.Fatalf("%d sessions are listed, %v; want 200", n, err)
	}
	if p.forgetList == nil {
		return "are listed"
	}
	p.forgetList()
	n = 0
	if err := st.Each(t.Context(), func(sessions.Session) error { n++; return nil }); err != nil || n != 0 {
		t.Fatalf("without the list %d sessions are listed, %v", n, err)
	}
	return "are listed, unless the list was forgotten for want of room"
}

// endingEverybodys finds out whether all are ended also where they are not
// listed.
func endingEverybodys(t *testing.T, _ column, p place) string {
	st := p.shop()
	filed, err := fill(t, st, 200)
	if err != nil {
		t.Fatal(err)
	}
	how := "ends them all"
	if p.forgetList != nil {
		p.forgetList()
		how += ", listed or not"
	}
	if left(t, st, filed) != goOn {
		t.Fatal("the sessions that were filed are not there")
	}
	if _, err := st.DeleteAll(t.Context(), sessions.Key{}, sessions.Event{}); err != nil {
		t.Fatal(err)
	}
	if left(t, st, filed) != signedOut {
		return "ends some"
	}
	return how
}

// expired files a session that was over two days ago. A store that lets things
// go by themselves has set a time on it, which the tests of redisstore and
// memcachestore read off the server; here it must be gone after a sweep.
func expired(t *testing.T, c column, p place) string {
	st, k := p.shop(), some(1)[0]
	s := sessions.Session{Handle: "H", CreatedAt: now, IdleUntil: now.Add(-48 * time.Hour), Until: now.Add(-48 * time.Hour)}
	if err := st.Create(t.Context(), k, s, sessions.Event{}); err != nil {
		t.Fatal(err)
	}
	removed, err := st.Sweep(t.Context(), now)
	if err != nil || removed != 1 || known(t, st, k) {
		t.Fatalf("a sweep removes %d, %v; want 1", removed, err)
	}
	switch c.name {
	case "Redis", "Redis Cluster", "Memcached":
		return "goes by itself"
	}
	return "is swept"
}

// full finds out what becomes of those who are there and of those who come.
func full(t *testing.T, c column, _ place) string {
	forgets, refuses := "", ""
	if c.small != nil {
		st := c.small(t).shop()
		filed, err := fill(t, st, overfull)
		if err != nil {
			t.Fatalf("after %d sessions: %v", len(filed), err)
		}
		// Redis looks at a few of them each time, and drops the oldest of those.
		if left(t, st, filed) != someOut || left(t, st, filed[overfull-500:]) == signedOut {
			t.Fatal("it has room for all of them, or none for the last")
		}
		forgets = "forgets who was not seen for longest"
	}
	if c.refusing != nil {
		st := c.refusing(t).shop()
		filed, err := fill(t, st, overfull)
		if !errors.Is(err, sessions.ErrUnavailable) {
			t.Fatalf("after %d sessions: %v; want that there is no room", len(filed), err)
		}
		if left(t, st, filed) != goOn {
			t.Fatal("it has no room, and has forgotten sessions")
		}
		refuses = "turns new ones away (503)"
	}
	switch c.name {
	case "Memcached":
		return forgets + "; with `-M` " + refuses
	case "Redis":
		return refuses + "; if it is set to evict, " + forgets
	case "memory":
		return refuses
	}
	return "not tried here"
}
