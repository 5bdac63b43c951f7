package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A contestant answers the same requests as the others, in a process of its own.
type contestant struct {
	name string
	// command starts it at an address, on a database.
	command func(addr, database string) *exec.Cmd
	// ticket is the cookie of a visitor, in whose session the contestant finds
	// user and cart of that number. Nil: it knows no visitors.
	ticket  func(visitor int) string
	tickets []string // of all visitors, once they are made
}

// remembered gives tickets that have been made before: to make one takes time
// of the very cores that are measured.
func (c *contestant) remembered() func(visitor int) string {
	if c.ticket == nil {
		return nil
	}
	for visitor := len(c.tickets); visitor <= *visitors; visitor++ {
		c.tickets = append(c.tickets, c.ticket(visitor))
	}
	return func(visitor int) string { return c.tickets[visitor] }
}

var (
	theShop = &contestant{
		name: "the shop",
		command: func(addr, database string) *exec.Cmd {
			// All requests come from one address, which nobody's shop would allow.
			return exec.Command(*shop, "serve", "--no-demo",
				"--addr", addr, "--database-url", database, "--cart-rate", "1000000000")
		},
		ticket: func(visitor int) string { return "session=" + shopID(visitor) },
	}
	withSCS = &contestant{
		name:    "scs",
		command: peer("scs"),
		ticket:  func(visitor int) string { return "session=" + scsToken(visitor) },
	}
	withGorilla = &contestant{
		name:    "gorilla",
		command: peer("gorilla"),
		ticket:  func(visitor int) string { return "session=" + gorillaTicket(visitor) },
	}
	oneSelect = &contestant{
		name:    "one SELECT",
		command: peer("select"),
		ticket:  theShop.ticket,
	}
	fixedBytes = &contestant{
		name:    "fixed bytes",
		command: peer("fixed"),
	}
)

// peer starts this program as one of the contestants.
func peer(name string) func(addr, database string) *exec.Cmd {
	return func(addr, database string) *exec.Cmd {
		return exec.Command(os.Args[0], "-serve", name, "-addr", addr, "-database", database)
	}
}

// shopID is the ID in the cookie of one of the shop's visitors. A real one is
// random; this one is as long.
func shopID(visitor int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "visitor %d", visitor))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// A running contestant.
type running struct {
	*contestant
	addr string
	cmd  *exec.Cmd
	log  *os.File
}

// start runs a contestant and waits until it answers. What it logs goes to a
// file, as it would in earnest.
func (c *contestant) start(ctx context.Context, database string) (_ *running, err error) {
	r := &running{contestant: c}
	if r.addr, err = freeAddress(); err != nil {
		return nil, err
	}
	if r.log, err = os.CreateTemp("", "coatcheck-bench-*.log"); err != nil {
		return nil, err
	}
	r.cmd = c.command(r.addr, database)
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get("http://" + r.addr + "/healthz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return r, nil
			}
		}
		if ctx.Err() != nil || time.Since(begun) > 20*time.Second {
			said, _ := os.ReadFile(r.log.Name())
			r.stop()
			return nil, fmt.Errorf("%s does not answer: %v; it says: %s", c.name, err, said)
		}
	}
}

func (r *running) stop() error {
	defer os.Remove(r.log.Name())
	defer r.log.Close()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", r.name, err)
	}
	if err := r.cmd.Wait(); err != nil {
		said, _ := os.ReadFile(r.log.Name())
		return fmt.Errorf("%s: %w; it says: %s", r.name, err, said[max(0, len(said)-2000):])
	}
	return nil
}

// page gets a page as a browser would, to see what is in it.
func (r *running) page(path string, visitor int) (string, error) {
	request, err := http.NewRequest(http.MethodGet, "http://"+r.addr+path, nil)
	if err != nil {
		return "", err
	}
	if visitor != nobody {
		request.Header.Set("Cookie", r.ticket(visitor))
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s to %s: %s", r.name, answer.Status, path, body)
	}
	return string(body), err
}

// nobody is a visitor without a ticket.
const nobody = 0

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
