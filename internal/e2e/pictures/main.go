// Command pictures takes the README's pictures: it runs the shop, walks
// through it in a real Chromium, and writes what it sees to docs/pictures.
//
//	go run ./internal/e2e/pictures bin/shop docs/pictures
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"coatcheck/internal/e2e/chromium"

	"github.com/chromedp/chromedp"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pictures <the shop's program> <directory for the pictures>")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, program, dir string) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	url, closeShop, err := openShop(ctx, program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeShop()) }()
	browser, closeBrowser, err := chromium.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeBrowser()) }()
	return walk(browser, url, dir)
}

// openShop runs the shop on new data, so that the pictures are the same
// whoever takes them.
func openShop(ctx context.Context, program string) (url string, stop func() error, err error) {
	address, err := freeAddress()
	if err != nil {
		return "", nil, err
	}
	data, err := os.MkdirTemp("", "coatcheck-pictures-")
	if err != nil {
		return "", nil, err
	}
	if err := os.Chmod(data, 0o755); err != nil { // Postgres may have to run as another user
		return "", nil, errors.Join(err, os.RemoveAll(data))
	}
	var log bytes.Buffer
	shop := exec.CommandContext(ctx, program, "serve", "--addr", address, "--data-dir", filepath.Join(data, "postgres"))
	shop.Cancel = func() error { return shop.Process.Signal(syscall.SIGTERM) }
	shop.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")} // its other settings are the defaults
	shop.Stderr = &log
	if err := shop.Start(); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(data))
	}
	stop = func() error {
		_ = shop.Process.Signal(syscall.SIGTERM) // if it has ended already, Wait says why
		if err := shop.Wait(); err != nil {
			return fmt.Errorf("the shop: %w\n%s", err, &log)
		}
		return os.RemoveAll(data)
	}
	url = "http://" + address
	if err := waitUntilReady(ctx, url); err != nil {
		return "", nil, errors.Join(err, stop())
	}
	return url, stop, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func waitUntilReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		answer, err := http.Get(url + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("the shop does not open")
		case <-poll.C:
		}
	}
}

// walk buys a coat, and takes a picture here and there.
func walk(ctx context.Context, url, dir string) error {
	var err error
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		if err == nil {
			err = chromedp.Do(ctx, steps...)
		}
	}
	land := func(steps ...chromedp.Action[chromedp.Void]) {
		if err == nil {
			_, err = chromedp.RunResponse(ctx, steps...)
		}
	}
	picture := func(name, scheme string, width, height int64) {
		if err == nil {
			err = take(ctx, filepath.Join(dir, name+".png"), scheme, width, height)
		}
	}
	button := chromedp.CSS("main form button")

	land(chromedp.Navigate(url))
	picture("catalogue", "light", 1280, 800)
	picture("phone", "light", 390, 760)
	for _, slug := range []string{"camel-overcoat", "navy-peacoat", "yellow-raincoat"} {
		land(chromedp.Navigate(url + "/products/" + slug))
		land(chromedp.Click(button))
	}
	land(chromedp.Navigate(url + "/login?next=/checkout"))
	do(chromedp.SendKeys(chromedp.CSS("#email"), "alice@example.com"), chromedp.SendKeys(chromedp.CSS("#password"), "coat-check-alice"))
	land(chromedp.Click(button))
	land(chromedp.Navigate(url + "/cart"))
	picture("cart", "dark", 1280, 800)
	do(chromedp.EmulateViewport(1000, 1000), chromedp.Evaluate[chromedp.Void](`xray.open = true; xray.parentElement.scrollIntoView()`))
	picture("xray", "light", 1000, 1000)
	land(chromedp.Navigate(url + "/xray"))
	picture("life", "light", 1000, 760)
	land(chromedp.Navigate(url + "/checkout"))
	do(chromedp.SendKeys(chromedp.CSS("#address"), "1 Rail Road"))
	land(chromedp.Click(button))
	picture("order", "light", 800, 1000)
	land(chromedp.Navigate(url + "/story"))
	land(chromedp.Click(chromedp.CSS("main form button")))
	picture("story", "dark", 1000, 1000)
	land(chromedp.Navigate(url + "/account/sessions"))
	picture("sessions", "light", 1000, 1120)
	return err
}

// take writes what a window of that size shows.
func take(ctx context.Context, file, scheme string, width, height int64) error {
	if err := chromium.Prefer(ctx, scheme); err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		return err
	}
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	// Chromium is in a hurry; at leisure, the file gets smaller.
	decoded, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return err
	}
	var small bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&small, decoded); err != nil {
		return err
	}
	fmt.Printf("%s: %d kB\n", file, small.Len()/1000)
	return os.WriteFile(file, small.Bytes(), 0o644)
}
