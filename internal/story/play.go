package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"coatcheck/internal/xray"
)

// Play tells a story in a world. What does not come as expected is noted, and
// the story goes on. An error is that a server did not answer at all; what was
// played until then comes with it.
func Play(ctx context.Context, s *Story, w *World) (*Transcript, error) {
	p := &player{world: w, pockets: map[string]*pocket{}, ticketName: "session"}
	for _, a := range s.Cast {
		p.pockets[a.Name] = &pocket{cookies: map[string]string{}}
	}
	t := &Transcript{Story: s, At: time.Now()}
	defer func() { t.Took = time.Since(t.At) }()
	for i, step := range s.Steps {
		played, err := p.play(ctx, step)
		if err != nil {
			return t, fmt.Errorf("step %d, %s: %w", i+1, step.Slug, err)
		}
		played.Number = i + 1
		t.Played = append(t.Played, played)
		if step.Needed && !played.Held() {
			t.Stopped = "The story ends here, because what follows makes no sense without this step."
			break
		}
	}
	return t, nil
}

// player is somebody's play of a story.
type player struct {
	world      *World
	pockets    map[string]*pocket // by the actors' names
	ticketName string             // of the cookie, as the shop calls it
	remembered int                // pieces in the cart
}

func (p *player) play(ctx context.Context, step Step) (Played, error) {
	played := Played{Step: step}
	switch {
	case step.Restart && p.world.Restart == nil:
		played.Limit = "Cannot be shown from outside: only whoever runs the server can restart it. What follows holds all the same."
		return played, nil
	case step.Restart:
		return played, p.world.Restart(ctx)
	case step.Carry != nil:
		p.carry(step)
		return played, nil
	}
	place, limit := p.place(step.Ask.Server)
	played.Server, played.Limit = place.Name, limit
	x, page, err := p.ask(ctx, place, p.pockets[step.Who], step.Ask)
	if err != nil {
		return played, err
	}
	played.Exchange = x
	played.Outcomes = step.Expect.check(x, page, p.remembered)
	if c := step.Expect.Cart; c != nil && c.OrMore {
		p.remembered, _ = digits(mark(page, cartMark))
	}
	return played, nil
}

// place finds a server, or says why another one has to do.
func (p *player) place(s Server) (at Place, limit string) {
	if int(s) < len(p.world.Servers) {
		return p.world.Servers[s], ""
	}
	return p.world.Servers[0], "Cannot be shown from outside: there is only one server here. So this is asked of the first one, too."
}

func (p *player) carry(step Step) {
	name, id := p.ticketName, step.Carry.Ticket
	if step.Carry.From != "" {
		name, id = p.pockets[step.Carry.From].ticket()
	}
	p.pockets[step.Who].carry(name, id)
}

// patience is how long an answer may take. Where a password is checked, it may
// have to wait for its turn.
const patience = 30 * time.Second

// ask makes a request the way the actor's browser would, and reads the answer.
func (p *player) ask(ctx context.Context, place Place, actor *pocket, ask *Request) (x *Exchange, page string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, x, err := newRequest(ctx, place, actor, ask)
	if err != nil {
		return nil, "", err
	}
	start := time.Now()
	response, err := place.Way.RoundTrip(request)
	if err != nil {
		return nil, "", fmt.Errorf("%s does not answer: %w", place.URL, err)
	}
	defer response.Body.Close()
	const most = 4 << 20 // of what a stranger's server may send
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return nil, "", fmt.Errorf("%s does not finish its answer: %w", place.URL, err)
	}
	x.Took = time.Since(start)
	x.Status, x.Location = response.StatusCode, response.Header.Get("Location")
	for _, line := range response.Header.Values("Set-Cookie") {
		x.Cookies = append(x.Cookies, cookieLine(line))
	}
	x.Did = actor.keep(response)
	if name, id := actor.ticket(); x.Did == NewTicket {
		p.ticketName, x.Given = name, cut(id)
	}
	actor.page, actor.location = string(body), x.Location
	x.XRay, err = xray.Decode(response.Header)
	return x, actor.page, err
}

// newRequest makes the request, and the part of the exchange that tells of it.
func newRequest(ctx context.Context, place Place, actor *pocket, ask *Request) (*http.Request, *Exchange, error) {
	x := &Exchange{Method: ask.Method, Path: ask.Path}
	if x.Path == "" {
		x.Path = actor.location
	}
	if !strings.HasPrefix(x.Path, "/") {
		return nil, nil, errors.New("the last answer has led nowhere in this shop")
	}
	form := url.Values{}
	for _, f := range ask.Form {
		if f.Hidden {
			f.Value = actor.hidden(f.Name)
		}
		form.Add(f.Name, f.Value)
		if f.Secret {
			f.Value = "••••••••"
		}
		x.Form = append(x.Form, f)
	}
	r, err := http.NewRequestWithContext(ctx, ask.Method, place.URL+x.Path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set(xray.Header, "please")
	r.Header.Set("User-Agent", "Coat Check's story")
	if ask.Method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if ask.Site != "" {
		r.Header.Set("Origin", ask.Site)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		return r, x, nil
	}
	_, id := actor.ticket()
	x.Sent = cut(id)
	actor.show(r)
	return r, x, nil
}

func digits(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil
}
