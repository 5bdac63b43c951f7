package story_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"coatcheck/internal/sessions"
	"coatcheck/internal/story"
	"coatcheck/internal/xray"
)

func TestCartIsRemembered(t *testing.T) {
	t.Parallel()
	w := world(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<span id="cart-count">%d</span>`, map[string]int{"/before": 5, "/same": 5, "/other": 6}[r.URL.Path])
	})
	step := func(path string, c story.Cart) story.Step {
		return story.Step{Who: "Alice", Ask: get(path), Expect: story.Expect{Cart: &c}}
	}
	transcript := play(t, w,
		step("/before", story.Cart{Pieces: 3, OrMore: true}),
		step("/same", story.Cart{AsBefore: true}),
		step("/same", story.Cart{Pieces: 5}),
		step("/other", story.Cart{AsBefore: true}),
		step("/other", story.Cart{Pieces: 5}),
		step("/other", story.Cart{Pieces: 7, OrMore: true}),
	)
	for i, want := range []bool{true, true, true, false, false, false} {
		if got := transcript.Played[i].Held(); got != want {
			t.Errorf("step %d: held is %v, want %v", i+1, got, want)
		}
	}
}

// demo answers with an X-ray of its own making.
func demo(t *testing.T, state sessions.Ticket, change xray.Change) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(xray.Header) != "" {
			w.Header().Set(xray.Header, encoded(t, xray.Exchange{Ticket: xray.Ticket{State: state.String()}, Change: change}))
		}
		room(w, r)
	}
}

// encoded writes an X-ray the way the shop does, and [xray.Decode] reads it.
func encoded(t *testing.T, e xray.Exchange) string {
	t.Helper()
	var b bytes.Buffer
	text := base64.NewEncoder(base64.StdEncoding, &b)
	small, err := flate.NewWriter(text, flate.BestSpeed)
	if err == nil {
		err = errors.Join(json.NewEncoder(small).Encode(e), small.Close(), text.Close())
	}
	if err != nil {
		t.Error(err)
	}
	return b.String()
}

func TestEachExpectationThatFailsIsReported(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path      string
		right     story.Expect
		wrong     story.Expect
		got, want string
	}{
		{"/page", story.Expect{Status: 200}, story.Expect{Status: 303}, "it is 200", "the status is 303"},
		{"/redirect", story.Expect{Location: "/orders/1001"}, story.Expect{Location: "/orders/"}, "it leads to /orders/1001", "it leads to /orders/"},
		{"/redirect", story.Expect{Location: "/orders/…"}, story.Expect{Location: "/orders/1001…"}, "it leads to /orders/1001", "it leads to /orders/1001…"},
		{"/page", story.Expect{}, story.Expect{Location: "/cart"}, "it leads to nothing", "it leads to /cart"},
		{"/page", story.Expect{SignedIn: "Al & Ice"}, story.Expect{SignedIn: story.Nobody}, "it greets Al & Ice", "the page greets nobody"},
		{"/", story.Expect{SignedIn: story.Nobody}, story.Expect{SignedIn: "Alice"}, "it greets nobody", "the page greets Alice"},
		{"/page", story.Expect{Cart: &story.Cart{Pieces: 3}}, story.Expect{Cart: &story.Cart{Pieces: 4}}, "it counts 3", "the page counts 4 pieces in the cart"},
		{"/", story.Expect{}, story.Expect{Cart: &story.Cart{}}, "it counts nothing", "the page counts 0 pieces in the cart"},
		{"/page", story.Expect{Says: "hidden"}, story.Expect{Says: "Thank you"}, "it does not", `the page says "Thank you"`},
		{"/begin", story.Expect{Ticket: story.NewTicket}, story.Expect{Ticket: story.NoTicket}, "a new ticket goes back", "no ticket came, and none goes back"},
		{"/", story.Expect{Ticket: story.NoTicket}, story.Expect{Ticket: story.SameTicket}, "no ticket came, and none goes back", "no ticket goes back, and the one at hand stays"},
		{"/", story.Expect{XRay: &story.XRay{Ticket: sessions.TicketLive, Change: xray.Moved}}, story.Expect{XRay: &story.XRay{Ticket: sessions.TicketUnknown, Change: xray.Moved}},
			"it says live", "the X-ray says of the ticket: it has the right shape, and no session belongs to it"},
		{"/", story.Expect{XRay: &story.XRay{Ticket: sessions.TicketLive, Change: xray.Moved}}, story.Expect{XRay: &story.XRay{Ticket: sessions.TicketLive, Change: xray.Unchanged}},
			"the session moved to a new ID", "the X-ray says: no session began, moved or ended"},
	} {
		w := world(t, demo(t, sessions.TicketLive, xray.Moved))
		wantHeld(t, play(t, w, story.Step{Who: "Alice", Ask: get(c.path), Expect: c.right}))
		transcript := play(t, w, story.Step{Who: "Alice", Ask: get(c.path), Expect: c.wrong})
		var failed []story.Outcome
		for _, o := range transcript.Played[0].Outcomes {
			if o.Failed() {
				failed = append(failed, o)
			}
		}
		if len(failed) != 1 || failed[0].Want != c.want || failed[0].Got != c.got {
			t.Errorf("%s: %+v, want %q and %q", c.path, failed, c.want, c.got)
		}
		if transcript.Held() || transcript.Failed() != 1 {
			t.Errorf("%s: a story that went otherwise counts as held", c.path)
		}
	}
}

// The shop sets an idle clock back when it is worth a write.
func TestTouchIsNoChange(t *testing.T) {
	t.Parallel()
	wantHeld(t, play(t, world(t, demo(t, sessions.TicketLive, xray.Touched)),
		story.Step{Who: "Alice", Ask: get("/"), Expect: story.Expect{XRay: &story.XRay{Ticket: sessions.TicketLive, Change: xray.Unchanged}}}))
}

func TestShopWithoutXRayIsNoFailure(t *testing.T) {
	t.Parallel()
	transcript := play(t, world(t, room), story.Step{Who: "Alice", Ask: get("/"), Expect: story.Expect{Status: 200, XRay: &story.XRay{}}})
	if !transcript.Held() || !transcript.Blind() || transcript.Checked() != 1 {
		t.Errorf("held %v, blind %v, %d expectations checked; want true, true and 1", transcript.Held(), transcript.Blind(), transcript.Checked())
	}
}
