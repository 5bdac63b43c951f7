package classroom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"sync"

	"coatcheck/internal/story"
	"coatcheck/internal/view"
	"coatcheck/internal/xray"

	"github.com/go-chi/chi/v5"
)

// ErrNoStage says that a story cannot be played, because there is no database
// to play it on.
var ErrNoStage = errors.New("a story is played on a database of its own")

// StoryPage tells a story: before it is played, as it was played, or one step
// of that.
type StoryPage struct {
	view.Layout
	Story  *story.Story
	Number int               // of the play
	Play   *story.Transcript // nil before it is played
	Scenes []Scene
	Alone  *Alone // nil unless one step is shown by itself
}

// Scene is a step on a page.
type Scene struct {
	story.Step
	Number int           // of the step
	Played *story.Played // nil before it is played
	Panel  *xray.Panel   // nil if there is no X-ray
}

// Alone is what there is around one step: those before and after it, if any.
type Alone struct{ Before, Next *story.Step }

// Template names the page's file.
func (*StoryPage) Template() string { return "story.html" }

// playhouse plays Alice's story, for one visitor at a time, and keeps what was
// played last, in memory.
type playhouse struct {
	play  func(context.Context) (*story.Transcript, error)
	taken sync.Mutex

	mu     sync.Mutex
	plays  int
	recent [remembered]*story.Transcript
}

const remembered = 20 // plays

func (h *playhouse) told(http.ResponseWriter, *http.Request) (view.Page, error) {
	p := &StoryPage{Story: &story.Alice}
	p.Title, p.Path = p.Story.Title, "/story"
	for i, step := range p.Story.Steps {
		p.Scenes = append(p.Scenes, Scene{Step: step, Number: i + 1})
	}
	return p, nil
}

// perform plays the story, and leads to what came of it.
func (h *playhouse) perform(w http.ResponseWriter, r *http.Request) (view.Page, error) {
	if !h.taken.TryLock() {
		return nil, &view.Problem{Status: http.StatusServiceUnavailable, Heading: "The stage is taken",
			Text: "Somebody else is having the story played at this moment. It takes a few seconds; please go back and try again then."}
	}
	defer h.taken.Unlock()
	t, err := h.play(r.Context())
	if errors.Is(err, ErrNoStage) {
		return nil, &view.Problem{Status: http.StatusServiceUnavailable, Heading: "There is no stage",
			Text: "The story is played on a database of its own, and this shop's Postgres user may not create one. Whoever runs the shop can allow it with ALTER ROLE … CREATEDB, or play the story on the shop itself with the command “shop story --url”."}
	}
	if err != nil {
		return nil, fmt.Errorf("play the story: %w", err)
	}
	http.Redirect(w, r, fmt.Sprintf("/story/%d", h.keep(t)), http.StatusSeeOther)
	return nil, nil
}

// keep gives the play its number.
func (h *playhouse) keep(t *story.Transcript) (number int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.plays++
	h.recent[h.plays%remembered] = t
	return h.plays
}

// find gives the play that an address names.
func (h *playhouse) find(r *http.Request) (number int, t *story.Transcript, err error) {
	number, err = strconv.Atoi(chi.URLParam(r, "number"))
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil || number < 1 || number > h.plays || number <= h.plays-remembered {
		return 0, nil, fs.ErrNotExist
	}
	return number, h.recent[number%remembered], nil
}

func (h *playhouse) played(_ http.ResponseWriter, r *http.Request) (view.Page, error) {
	number, t, err := h.find(r)
	if err != nil {
		return nil, err
	}
	p := &StoryPage{Story: t.Story, Number: number, Play: t}
	p.Title, p.Path = fmt.Sprintf("%s, play %d", t.Story.Title, number), "/story"
	for i := range t.Played {
		p.Scenes = append(p.Scenes, scene(&t.Played[i]))
	}
	return p, nil
}

func (h *playhouse) playedStep(_ http.ResponseWriter, r *http.Request) (view.Page, error) {
	number, t, err := h.find(r)
	if err != nil {
		return nil, err
	}
	for i := range t.Played {
		if t.Played[i].Slug != chi.URLParam(r, "step") {
			continue
		}
		p := &StoryPage{Story: t.Story, Number: number, Play: t, Scenes: []Scene{scene(&t.Played[i])}, Alone: &Alone{}}
		p.Title, p.Path = t.Played[i].Title, "/story"
		if i > 0 {
			p.Alone.Before = &t.Played[i-1].Step
		}
		if i+1 < len(t.Played) {
			p.Alone.Next = &t.Played[i+1].Step
		}
		return p, nil
	}
	return nil, fs.ErrNotExist
}

func scene(p *story.Played) Scene {
	s := Scene{Step: p.Step, Number: p.Number, Played: p}
	if p.Exchange != nil && p.Exchange.XRay != nil {
		s.Panel = xray.NewPanel(p.Exchange.XRay, p.Exchange.XRay.At)
	}
	return s
}

// AsExpected counts the expectations that held.
func (s Scene) AsExpected() (n int) {
	for _, o := range s.Played.Outcomes {
		if o.Held {
			n++
		}
	}
	return n
}
