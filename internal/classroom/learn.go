package classroom

import (
	"io/fs"
	"net/http"

	"coatcheck/internal/view"

	"github.com/go-chi/chi/v5"
)

// LearnPage lists what there is to learn.
type LearnPage struct {
	view.Layout
	Chapters []Chapter
}

// Template names the page's file.
func (*LearnPage) Template() string { return "learn.html" }

// ClaimPage shows one claim, with the code that makes it true.
type ClaimPage struct {
	view.Layout
	Claim        Claim
	Code, Tests  []Listing
	Before, Next string // claims
}

// Template names the page's file.
func (*ClaimPage) Template() string { return "claim.html" }

func learn(http.ResponseWriter, *http.Request) (view.Page, error) {
	p := &LearnPage{Chapters: Chapters}
	p.Title, p.Path = "What there is to learn", "/learn"
	return p, nil
}

func learnClaim(_ http.ResponseWriter, r *http.Request) (view.Page, error) {
	p := &ClaimPage{}
	asked := chi.URLParam(r, "id")
	found := false
	for _, chapter := range Chapters {
		for _, c := range chapter.Claims {
			switch {
			case c.ID == asked:
				p.Claim, found = c, true
			case !found:
				p.Before = c.ID
			case p.Next == "":
				p.Next = c.ID
			}
		}
	}
	if !found {
		return nil, fs.ErrNotExist
	}
	l, err := theLibrary()
	if err != nil {
		return nil, err
	}
	if p.Code, err = l.listings(p.Claim.Code); err != nil {
		return nil, err
	}
	if p.Tests, err = l.listings(p.Claim.Tests); err != nil {
		return nil, err
	}
	p.Title, p.Path = p.Claim.Title, "/learn/"+asked
	return p, nil
}
