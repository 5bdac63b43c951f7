// Package chromium starts a real Chromium, for tests and for the README's
// pictures.
package chromium

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// setting names the browser's program, if it is not found by its name.
const setting = "SHOP_TEST_BROWSER"

var programs = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	"/Applications/Chromium.app/Contents/MacOS/Chromium",
}

// Find gives the browser's program.
func Find() (string, error) {
	if named := os.Getenv(setting); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("%s: %w", setting, err)
		}
		return path, nil
	}
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no Chromium: install it (Debian, Ubuntu: apt install chromium), or name its program in %s", setting)
}

// Open starts a browser that knows nothing yet, and gives the context in which
// chromedp drives its one tab. close ends it and forgets what it had learned.
func Open(parent context.Context) (ctx context.Context, close func() error, err error) {
	program, err := Find()
	if err != nil {
		return nil, nil, err
	}
	profile, err := os.MkdirTemp("", "coatcheck-chromium-")
	if err != nil {
		return nil, nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(program),
		chromedp.UserDataDir(profile),
		chromedp.DisableGPU,
		// Chromium's own errands would be taken for the page's.
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-pings", true),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to start otherwise
	}
	allocator, stop := chromedp.NewExecAllocator(parent, options...)
	ctx, _ = chromedp.NewContext(allocator)
	close = func() error {
		// Asked politely, so that it has written its last file when the
		// profile is deleted.
		polite, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		err := chromedp.Cancel(polite)
		stop()
		return errors.Join(err, os.RemoveAll(profile))
	}
	if err := chromedp.Do(ctx); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start %s: %w", program, err), close())
	}
	return ctx, close, nil
}

// Prefer makes the browser say that its user prefers a scheme, "light" or
// "dark", and to see nothing move: a picture or a measurement in the middle
// of a transition would come out differently each time.
func Prefer(ctx context.Context, scheme string) error {
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	})
	return err
}
