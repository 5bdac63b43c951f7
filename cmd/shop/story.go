package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"coatcheck/internal/story"

	"golang.org/x/term"
)

type storyTeller struct {
	database
	URL   []string `name:"url" sep:"none" placeholder:"URL" help:"Play on a shop that is open, such as http://localhost:8080; given twice, on two of them with the same database. It leaves an order of Alice's there. Without it the story is played on a database of its own."`
	Curl  bool     `help:"Do not play: print the story as lines for a shell, to be pasted one by one."`
	Color bool     `default:"true" negatable:"" help:"Colours, if the output is a terminal (also: NO_COLOR)."`
}

// errDiffers says that a story went otherwise than it is told.
var errDiffers = errors.New("the story did not go as it is told")

// Run plays Alice's story and prints what happened.
func (c *storyTeller) Run(ctx context.Context, t terminal) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Curl {
		fmt.Fprint(t.out, story.Curl(&story.Alice, c.URL))
		return nil
	}
	transcript, err := c.play(ctx, t)
	if transcript != nil {
		(&printer{t.out, c.colours(t)}).print(transcript)
	}
	if err == nil && !transcript.Held() {
		err = errDiffers
	}
	return err
}

func (c *storyTeller) play(ctx context.Context, t terminal) (transcript *story.Transcript, err error) {
	if len(c.URL) > 0 {
		w := &story.World{}
		for _, at := range c.URL {
			w.Servers = append(w.Servers, story.Place{Name: at, URL: at, Way: http.DefaultTransport})
		}
		return story.Play(ctx, &story.Alice, w)
	}
	err = c.with(ctx, t, func(db *opened) error {
		transcript, err = playOnStage(ctx, db.Pool, &story.Alice, 0)
		return err
	})
	return transcript, err
}

// check makes of each URL what a path can be put behind.
func (c *storyTeller) check() error {
	if len(c.URL) > 2 {
		return settingError("--url", "there are %d; a story has two servers at most", len(c.URL))
	}
	for i, at := range c.URL {
		u, err := url.Parse(at)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return settingError("--url", "%q; it must be like http://localhost:8080", at)
		}
		c.URL[i] = u.Scheme + "://" + u.Host
	}
	return nil
}

// colours are for people (https://no-color.org).
func (c *storyTeller) colours(t terminal) bool {
	out, isFile := t.out.(*os.File)
	return c.Color && os.Getenv("NO_COLOR") == "" && isFile && term.IsTerminal(int(out.Fd()))
}
