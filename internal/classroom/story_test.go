package classroom_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"coatcheck/internal/classroom"
	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/story"
	"coatcheck/internal/xray"
)

// stage is two servers on one database, where every play is a real one.
func stage(t *testing.T) classroom.Config {
	t.Helper()
	db := pgtest.NewTraced(t, xray.Tracer{})
	first, second := open(t, db, classroom.Config{}), open(t, db, classroom.Config{})
	return classroom.Config{Play: func(ctx context.Context) (*story.Transcript, error) {
		return story.Play(ctx, &story.Alice, &story.World{
			Servers: []story.Place{
				{Name: "the first server", URL: "http://first.example", Way: story.Handler{Handler: first}},
				{Name: "the second server", URL: "http://second.example", Way: story.Handler{Handler: second}},
			},
			Restart: func(context.Context) error { return nil },
		})
	}}
}

// play presses the button, and gives the address and the page that it leads to.
func (v *visitor) play() (status int, path, body string) {
	v.t.Helper()
	a, err := v.http.PostForm(v.url+"/story", nil)
	if err == nil {
		path = a.Request.URL.Path
	}
	status, body = v.read(a, err)
	return status, path, body
}

func TestStoryIsToldBeforeItIsPlayed(t *testing.T) {
	t.Parallel()
	v := visit(t)
	status, body := v.get("/story")
	if status != http.StatusOK || !strings.Contains(body, `<form class="acts" method="post" action="/story"><button>Play it</button>`) {
		t.Errorf("the story is answered with %d, or cannot be played", status)
	}
	for _, step := range story.Alice.Steps {
		if !strings.Contains(body, ` id="step-`+step.Slug+`"`) {
			t.Errorf("the page lacks step %s", step.Slug)
		}
	}
	if strings.Contains(body, "as expected") {
		t.Error("what was not played is said to be as expected")
	}
}

func TestStoryIsPlayedAndShown(t *testing.T) {
	t.Parallel()
	v := visitWith(t, stage(t))
	status, path, whole := v.play()
	if status != http.StatusOK || path != "/story/1" || !strings.Contains(whole, "that the story tells of came just so") {
		t.Fatalf("the play leads to %s, which is answered with %d:\n%s", path, status, whole)
	}
	// The X-rays are closed, or nobody could see the story.
	requests := 0
	for _, step := range story.Alice.Steps {
		if step.Ask != nil {
			requests++
		}
	}
	if n := strings.Count(whole, `<details class="more">`); n != 2*requests || strings.Contains(whole, `<details class="more" open>`) {
		t.Errorf("there are %d closed details, want one for what was expected and one for the X-ray of %d requests", n, requests)
	}

	pages := whole
	for i, step := range story.Alice.Steps {
		if !strings.Contains(whole, ` id="step-`+step.Slug+`"`) {
			t.Errorf("the page of the play lacks step %s", step.Slug)
		}
		status, body := v.get("/story/1/" + step.Slug)
		if status != http.StatusOK || !strings.Contains(body, fmt.Sprintf("Step %d of %d", i+1, len(story.Alice.Steps))) || !strings.Contains(body, html.EscapeString(step.Title)) {
			t.Errorf("step %s is answered with %d, or does not say where it stands", step.Slug, status)
		}
		if xrayed := strings.Contains(body, `<h2 class="scene-xray">X-ray</h2>`); xrayed != (step.Ask != nil) {
			t.Errorf("step %s: its X-ray is shown: %v", step.Slug, xrayed)
		}
		before, next := strings.Contains(body, `rel="prev"`), strings.Contains(body, `rel="next"`)
		if before != (i > 0) || next != (i < len(story.Alice.Steps)-1) {
			t.Errorf("step %s: there is one before it: %v, and one after it: %v", step.Slug, before, next)
		}
		if i > 0 && !strings.Contains(body, `href="/story/1/`+story.Alice.Steps[i-1].Slug+`" rel="prev"`) {
			t.Errorf("step %s does not lead back", step.Slug)
		}
		pages += body
	}
	if found := regexp.MustCompile(`[A-Za-z0-9_-]{43,}`).FindAllString(pages, -1); found != nil {
		t.Errorf("the pages have what may be IDs in them: %q", found)
	}
	if strings.Contains(pages, "password=coat") {
		t.Error("the pages have the password in them")
	}
}

func TestPlaysThatAreNotThereAreNotFound(t *testing.T) {
	t.Parallel()
	v := visitWith(t, classroom.Config{Play: func(context.Context) (*story.Transcript, error) {
		s := &story.Story{Title: "Short", Steps: []story.Step{{Slug: "one", Restart: true}}}
		return &story.Transcript{Story: s, Played: []story.Played{{Step: s.Steps[0], Number: 1}}}, nil
	}})
	wantStatus := func(want int, paths ...string) {
		t.Helper()
		for _, path := range paths {
			if status, _ := v.get(path); status != want {
				t.Errorf("%s is answered with %d, want %d", path, status, want)
			}
		}
	}
	wantStatus(http.StatusNotFound, "/story/0", "/story/1", "/story/-1", "/story/x", "/story/1/one", "/story/99999999999999999999")
	for range 21 {
		v.play()
	}
	wantStatus(http.StatusOK, "/story/2", "/story/21", "/story/21/one")
	wantStatus(http.StatusNotFound, "/story/1", "/story/22", "/story/21/two", "/story/1/one")
}

func TestOneVisitorPlaysAtATime(t *testing.T) {
	t.Parallel()
	begun, goOn := make(chan struct{}), make(chan struct{})
	v := visitWith(t, classroom.Config{Play: func(context.Context) (*story.Transcript, error) {
		begun <- struct{}{}
		<-goOn
		return &story.Transcript{Story: &story.Story{Steps: []story.Step{{Slug: "one"}}}, Played: []story.Played{{Step: story.Step{Slug: "one"}}}}, nil
	}})
	var first sync.WaitGroup
	first.Go(func() {
		if status, path, _ := v.play(); status != http.StatusOK || path != "/story/1" {
			t.Errorf("the first play is answered with %d at %s", status, path)
		}
	})
	<-begun
	if status, _, body := v.play(); status != http.StatusServiceUnavailable || !strings.Contains(body, "The stage is taken") {
		t.Errorf("while another play goes on, the answer is %d:\n%s", status, body)
	}
	close(goOn)
	first.Wait()
}

func TestPlayThatCannotBeIsExplained(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]struct {
		status int
		says   string
	}{
		fmt.Errorf("DATABASE_URL: %w", classroom.ErrNoStage): {http.StatusServiceUnavailable, "CREATEDB"},
		context.DeadlineExceeded:                             {http.StatusServiceUnavailable, "Back in a moment"},
		errors.New("broken"):                                 {http.StatusInternalServerError, "came off its hanger"},
	} {
		v := visitWith(t, classroom.Config{Play: func(context.Context) (*story.Transcript, error) { return nil, err }})
		if status, _, body := v.play(); status != want.status || !strings.Contains(body, want.says) {
			t.Errorf("%v is answered with %d, want %d and %q:\n%s", err, status, want.status, want.says, body)
		}
		if status, _ := v.get("/story/1"); status != http.StatusNotFound {
			t.Errorf("after %v there is a play", err)
		}
	}
}

// What did not come as the story tells is seen at once.
func TestPlayThatWentOtherwiseSaysSo(t *testing.T) {
	t.Parallel()
	v := visitWith(t, classroom.Config{Play: func(context.Context) (*story.Transcript, error) {
		s := &story.Story{Steps: []story.Step{{Slug: "one"}}}
		return &story.Transcript{Story: s, Stopped: "The story ends here.", Played: []story.Played{{
			Step: s.Steps[0], Number: 1, Outcomes: []story.Outcome{{Want: "the status is 303", Got: "it is <422>"}}}}}, nil
	}})
	_, _, body := v.play()
	for _, want := range []string{"1 of 1 things did not come", "The story ends here.", `<details class="more" open>`, "Not as expected:", "it is &lt;422&gt;"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "verdict-held") {
		t.Error("the page says that all was well")
	}
}
