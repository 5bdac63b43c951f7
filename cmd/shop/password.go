package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// readPassword asks for a new password, twice, if a person sits at the
// terminal; otherwise it is the one line on standard input. It is never an
// argument or a variable: others can read those.
func readPassword(ctx context.Context, t terminal) (string, error) {
	if !term.IsTerminal(int(t.in.Fd())) {
		return passwordFrom(t.in)
	}
	password, err := ask(ctx, t, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := ask(ctx, t, "The same again: ")
	if err != nil {
		return "", err
	}
	if password != again {
		return "", errors.New("the two passwords are not the same")
	}
	return password, nil
}

// ask reads a line that the terminal does not show. Whoever interrupts it gets
// back a terminal that shows what is typed.
func ask(ctx context.Context, t terminal, prompt string) (string, error) {
	fd := int(t.in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	fmt.Fprint(t.err, prompt)
	go func() {
		line, err := term.ReadPassword(fd)
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		fmt.Fprintln(t.err)
		if a.err != nil {
			return "", fmt.Errorf("read the password: %w", a.err)
		}
		return text(a.line)
	case <-ctx.Done():
		fmt.Fprintln(t.err)
		return "", errors.Join(errors.New("interrupted"), term.Restore(fd, before))
	}
}

// passwordFrom reads one line and expects no other: half of a password would
// be a bad one.
func passwordFrom(r io.Reader) (string, error) {
	const most = 64 << 10
	line, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	password, err := text(line)
	password = strings.TrimSuffix(strings.TrimSuffix(password, "\n"), "\r")
	if strings.ContainsAny(password, "\r\n") {
		return "", errors.New("standard input has more than one line; it must have the password and nothing else")
	}
	return password, err
}

// text refuses what nobody could send with the sign-in form.
func text(line []byte) (string, error) {
	if !utf8.Valid(line) || strings.Contains(string(line), "\x00") {
		return "", errors.New("the password is no text in UTF-8")
	}
	return string(line), nil
}
