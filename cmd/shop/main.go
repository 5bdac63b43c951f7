// Command shop is Coat Check: a web shop that shows how server-side sessions
// work by having them.
//
// This package is the only place that sees all the others. It reads the
// settings, puts the parts together, and holds one file a subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr}))
}

// Exit codes.
const (
	exitOK      = 0
	exitFailed  = 1 // something that only running could show
	exitSetting = 2 // a setting is wrong
)

// errSetting marks an error that the person who set up the shop can mend by
// changing a setting.
var errSetting = errors.New("bad setting")

// settingError says which setting is wrong, and how.
func settingError(setting string, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w", errSetting, setting, fmt.Errorf(format, args...))
}

type commands struct {
	Serve       serve        `cmd:"" default:"withargs" help:"Run the shop (what plain 'shop' does)."`
	Sessions    sessionTools `cmd:"" help:"See who is signed in, and end it."`
	Users       userTools    `cmd:"" help:"See who has an account, and change it."`
	Migrate     migrate      `cmd:"" help:"Change the database's schema."`
	Seed        seed         `cmd:"" help:"Hang the products on the rail and make the demo accounts."`
	Story       storyTeller  `cmd:"" help:"Play the story of a session, and show what happens."`
	Healthcheck healthcheck  `cmd:"" help:"Ask a running shop whether it is ready; for containers."`
	Version     version      `cmd:"" help:"Say which build this is."`
}

// terminal is where a command reads and writes. What it is asked for goes to
// out, and all else that it has to say to err.
type terminal struct {
	in       *os.File // a file, which can be asked whether a person sits there
	out, err io.Writer
}

func run(ctx context.Context, args []string, t terminal) int {
	exited := -1
	parser, err := kong.New(&commands{},
		kong.Name("shop"),
		kong.Description("Coat Check, a shop that teaches sessions by having them."),
		kong.UsageOnError(),
		kong.Writers(t.out, t.err),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(t),
	)
	if err != nil {
		fmt.Fprintln(t.err, "shop:", err)
		return exitFailed
	}
	command, err := parser.Parse(args)
	if exited >= 0 { // --help has been answered
		return exited
	}
	if err != nil {
		fmt.Fprintln(t.err, "shop:", err)
		return exitSetting
	}
	if err := command.Run(); err != nil {
		fmt.Fprintln(t.err, "shop:", err)
		if errors.Is(err, errSetting) {
			return exitSetting
		}
		return exitFailed
	}
	return exitOK
}
