package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// At a terminal the password is asked for twice and not shown.
func TestOperatorIsAskedForThePassword(t *testing.T) {
	t.Parallel()
	shop, _, _ := openForHands(t)

	typed := sitDown(t, shop.Command("users", "add", "carol@example.com", "--name", "Carol"))
	typed.at("Password: ", carolsPassword+"\n")
	typed.at("The same again: ", carolsPassword+"x\n")
	if code := typed.leave(); code != 1 || !strings.Contains(typed.screen(), "not the same") {
		t.Errorf("two different passwords: code %d:\n%s", code, typed.screen())
	}

	typed = sitDown(t, shop.Command("users", "add", "carol@example.com", "--name", "Carol"))
	typed.at("Password: ", carolsPassword+"\n")
	typed.at("The same again: ", carolsPassword+"\n")
	if code := typed.leave(); code != 0 || strings.Contains(typed.screen(), carolsPassword) {
		t.Errorf("code %d:\n%s", code, typed.screen())
	}
	if !typed.shows() {
		t.Error("the terminal does not show any more what is typed")
	}
	visit(t, shop).post("/login", "email", "carol@example.com", "password", carolsPassword).is(t, "Carol", "0")

	// Nobody types a password for an account that cannot be opened.
	typed = sitDown(t, shop.Command("users", "add", "carol@example.com", "--name", "Carol"))
	if code := typed.leave(); code != 1 || strings.Contains(typed.screen(), "Password: ") {
		t.Errorf("code %d:\n%s", code, typed.screen())
	}
}

func TestInterruptedOperatorGetsTheTerminalBack(t *testing.T) {
	t.Parallel()
	shop, _, _ := openForHands(t)
	typed := sitDown(t, shop.Command("users", "add", "carol@example.com", "--name", "Carol"))
	typed.at("Password: ", "seven umb\x03")
	if code := typed.leave(); code != 1 || strings.Contains(typed.screen(), "umb") {
		t.Errorf("code %d:\n%s", code, typed.screen())
	}
	if !typed.shows() {
		t.Error("the terminal does not show any more what is typed")
	}
}

// A seat is at a terminal at which a command runs.
type seat struct {
	t        *testing.T
	keyboard *os.File
	line     *os.File // the command's end
	cmd      *exec.Cmd
	mu       sync.Mutex
	seen     bytes.Buffer
}

func sitDown(t *testing.T, cmd *exec.Cmd) *seat {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	s := &seat{t: t, keyboard: keyboard, line: line, cmd: cmd}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = line, line, line
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		some := make([]byte, 1024)
		for {
			n, err := keyboard.Read(some)
			if err != nil {
				return // the test is over
			}
			s.mu.Lock()
			s.seen.Write(some[:n])
			s.mu.Unlock()
		}
	}()
	return s
}

func (s *seat) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

// at waits for a prompt, and until the terminal hides what is typed.
func (s *seat) at(prompt, keys string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.HasSuffix(s.screen(), prompt) || s.shows(); {
		if time.Now().After(deadline) {
			s.t.Fatalf("waiting for %q, in vain:\n%s", prompt, s.screen())
		}
		time.Sleep(5 * time.Millisecond)
	}
	if _, err := s.keyboard.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// shows reports whether the terminal shows what is typed.
func (s *seat) shows() bool {
	settings, err := unix.IoctlGetTermios(int(s.line.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0
}

// leave waits for the command's end, and until all that it wrote is on the
// screen: a mark that comes after it is.
func (s *seat) leave() int {
	s.t.Helper()
	_ = s.cmd.Wait()
	const mark = "(the end)"
	if _, err := s.line.WriteString(mark); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); !strings.HasSuffix(s.screen(), mark); {
		if time.Now().After(deadline) {
			s.t.Fatalf("the screen ends without the mark:\n%s", s.screen())
		}
		time.Sleep(5 * time.Millisecond)
	}
	return s.cmd.ProcessState.ExitCode()
}
