package xray_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/xray"

	"github.com/jackc/pgx/v5"
)

// drawn is a timeline in a line: each ticket with its user and what happened
// to it, in minutes after the first.
func drawn(tl *xray.Timeline, begin time.Time) string {
	var lives []string
	for _, l := range tl.Tickets {
		words := []string{fmt.Sprintf("%s of %d:", l.Handle, l.User)}
		for _, m := range l.Moments {
			what := string(m.Kind)
			if what == "" {
				what = string(m.What)
			}
			words = append(words, fmt.Sprintf("%s@%.0f", strings.ReplaceAll(what, " ", "-"), m.At.Sub(begin).Minutes()))
		}
		if l.Torn {
			words = append(words, "torn")
		}
		lives = append(lives, strings.Join(words, " "))
	}
	if tl.Over {
		lives = append(lives, "over")
	}
	return strings.Join(lives, " | ")
}

// event is at so many minutes; touch is likewise.
func event(minute int, kind sessions.Kind, user int64, handles ...string) sessions.Event {
	e := sessions.Event{At: at(minute), Kind: kind, UserID: user, Session: handles[0]}
	if len(handles) > 1 {
		e.Previous = handles[1]
	}
	return e
}

func touch(minute int, handle string) *xray.Exchange {
	return &xray.Exchange{At: at(minute), Change: xray.Touched, After: &xray.Coat{Handle: handle}}
}

func at(minute int) time.Time {
	return time.Date(2026, 5, 4, 9, minute, 0, 0, time.UTC)
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	alive := &sessions.Session{IdleUntil: at(30), Until: at(59)}
	for _, c := range []struct {
		what   string
		events []sessions.Event
		last   *sessions.Session
		seen   []*xray.Exchange
		want   string
	}{
		{"nothing is known", nil, alive, nil, ""},
		{"a guest", []sessions.Event{event(0, sessions.Made, 0, "A")}, alive,
			[]*xray.Exchange{touch(7, "A"), {At: at(6), Change: xray.Unchanged, After: &xray.Coat{Handle: "A"}}, touch(5, "A")},
			"A of 0: made@0 touched@5 touched@7"},
		{"never a guest's", []sessions.Event{event(0, sessions.SignedIn, 1, "A"), event(9, sessions.SignedOut, 1, "A")}, nil, nil,
			"A of 1: signed-in@0 signed-out@9 | over"},
		{"several moves", []sessions.Event{
			event(0, sessions.Made, 0, "A"), event(3, sessions.SignedIn, 1, "B", "A"), event(4, pgstore.PasswordChanged, 1, "B"),
			event(6, sessions.Moved, 1, "C", "B"), event(9, sessions.IdledOut, 1, "C"),
		}, nil, []*xray.Exchange{touch(8, "C"), touch(5, "B"), touch(2, "A"), touch(1, "A")},
			"A of 0: made@0 touched@1 touched@2 torn | B of 1: signed-in@3 password-changed@4 touched@5 torn | C of 1: moved@6 touched@8 idle-timeout@9 | over"},
		{"touched between two events", []sessions.Event{event(0, sessions.SignedIn, 1, "A"), event(4, pgstore.EmailChanged, 1, "A")}, alive,
			[]*xray.Exchange{touch(4, "A"), touch(2, "A"), touch(0, "A")},
			"A of 1: signed-in@0 touched@0 touched@2 e-mail-changed@4 touched@4"},
		{"the beginning is on record no more, or not for this user", []sessions.Event{event(3, sessions.Moved, 1, "B", "A"), event(4, sessions.Moved, 1, "C", "B")}, alive, nil,
			"B of 1: moved@3 torn | C of 1: moved@4"},
	} {
		tl := xray.NewTimeline(c.events, c.last, c.seen)
		if got := drawn(tl, at(0)); got != c.want {
			t.Errorf("%s: it draws\n%s\nwant\n%s", c.what, got, c.want)
		}
		if c.last != nil && (tl.IdleUntil != at(30) || tl.Until != at(59)) {
			t.Errorf("%s: it ends at %v, %v", c.what, tl.IdleUntil, tl.Until)
		}
		for _, l := range tl.Tickets {
			for _, m := range l.Moments {
				if says := m.Says(); !strings.HasSuffix(says, ".") {
					t.Errorf("%s: %+v is worded %q", c.what, m, says)
				}
			}
		}
	}
}

// The same from what a real session leaves on record and in memory.
func TestTimelineOfARealSession(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v, begun := s.visitor(), s.clock.Now()
	var handles []string
	for _, do := range []act{begin(sessions.Refs{CartID: 1}), signIn(sessions.Refs{UserID: 1, CartID: 1}), renew} {
		v.must(do)
		handles = append(handles, v.row().Handle)
		s.clock.turn(5 * time.Minute)
		v.must(look)
		s.clock.turn(5 * time.Minute)
	}
	v.must(signOut) // which moves the deadline, and that is of no use any more

	var story []sessions.Event
	b := &pgx.Batch{}
	pgstore.QueueStory(b, handles[2], &story)
	if err := s.db.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s of 0: made@0 touched@5 torn | %s of 1: signed-in@10 touched@15 torn | %s of 1: moved@20 touched@25 signed-out@30 | over",
		handles[0], handles[1], handles[2])
	if got := drawn(xray.NewTimeline(story, nil, s.Recent(handles[2])), begun); got != want {
		t.Errorf("it draws\n%s\nwant\n%s", got, want)
	}
}

func TestClocksAreThoseOfTheSession(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	a := s.arrives(sessions.Refs{CartID: 1}).must(look)
	var texts []string
	for _, wait := range []time.Duration{0, 10*time.Minute + 30*time.Second, 13 * time.Hour} {
		for _, c := range xray.NewPanel(a.Exchange, s.clock.Now().Add(wait)).Clocks() {
			texts = append(texts, fmt.Sprintf("%s, %d %%", c.Text, c.Percent()))
		}
	}
	want := []string{
		"31 min left of 31 min, 100 %", "12 h left of 12 h, 100 %",
		"20 min 30 s left of 31 min, 66 %", "11 h 49 min left of 12 h, 98 %",
		"0 s left of 31 min, 0 %", "0 s left of 12 h, 0 %",
	}
	if !slices.Equal(texts, want) {
		t.Errorf("the clocks say %q, want %q", texts, want)
	}
	if clocks := xray.NewPanel(s.serve(s.request(http.MethodGet, "/"), look).Exchange, s.clock.Now()).Clocks(); clocks != nil {
		t.Errorf("without a session there are clocks: %v", clocks)
	}
}
