package pgtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Settings that choose the server, in this order:
//
//   - SHOP_TEST_DATABASE_URL names a running one; its user must be allowed to
//     create databases.
//   - SHOP_TEST_POSTGRES pins the choice to "container" or "local", and the
//     tests fail rather than take the other.
//   - Without either: a container if an engine such as Docker answers, else
//     Postgres's programs on this machine, or downloaded.
//
// SHOP_TEST_POSTGRES_IMAGE names the container's image.
const (
	urlSetting   = "SHOP_TEST_DATABASE_URL"
	pinSetting   = "SHOP_TEST_POSTGRES"
	imageSetting = "SHOP_TEST_POSTGRES_IMAGE"
	isSetting    = "SHOP_TEST_POSTGRES_IS" // what withpostgres has started, in words

	defaultImage = "postgres:17-alpine"
)

// theServer is the one server of this process. Nobody stops it: it ends with
// the process, however that ends (see container.go and local.go).
var theServer = sync.OnceValues(func() (*server, error) {
	if os.Getenv(urlSetting) != "" {
		return given(context.Background())
	}
	return start(context.Background(), os.Getenv(pinSetting), nil)
})

// given is the server that the setting names.
func given(ctx context.Context) (*server, error) {
	s := &server{admin: os.Getenv(urlSetting), stop: func() error { return nil }}
	version, err := s.version(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", urlSetting, err)
	}
	s.is = cmp.Or(os.Getenv(isSetting), "given by "+urlSetting+", "+version)
	return s, nil
}

// start runs a server on what pin says: "container", "local", or "" (also
// "any") for whichever can be had. say may be nil.
func start(ctx context.Context, pin string, say func(string)) (*server, error) {
	switch pin {
	case "container":
		return startContainer(ctx)
	case "local":
		return startLocal(ctx, say)
	case "", "any":
	default:
		return nil, fmt.Errorf("%s=%q: it must be container, local or any", pinSetting, pin)
	}
	s, noContainer := startContainer(ctx)
	if noContainer == nil {
		return s, nil
	}
	if !errors.Is(noContainer, errNoEngine) {
		fmt.Fprintf(os.Stderr, "pgtest: %v; taking a local Postgres instead\n", noContainer)
	}
	s, err := startLocal(ctx, say)
	if err != nil {
		return nil, fmt.Errorf("start Docker, or install PostgreSQL, or set %s: %w; %w", urlSetting, noContainer, err)
	}
	return s, nil
}

// A Server is one that a whole test run shares, for the command withpostgres.
type Server struct{ *server }

// Start runs a server on "container" or "local"; or, on "any", takes the one
// that SHOP_TEST_DATABASE_URL names, else whichever of the two can be had. It
// says what takes long.
func Start(ctx context.Context, on string, say func(string)) (Server, error) {
	if on == "any" && os.Getenv(urlSetting) != "" {
		s, err := given(ctx)
		return Server{s}, err
	}
	s, err := start(ctx, on, say)
	return Server{s}, err
}

// Settings are the pairs NAME=value that make tests use the server.
func (s Server) Settings() []string {
	return []string{urlSetting + "=" + s.admin, isSetting + "=" + s.is}
}

// String says what the server is and its version.
func (s Server) String() string { return s.is }

// Stop ends the server and deletes its data.
func (s Server) Stop() error { return s.stop() }

// version asks the server for its version, such as "PostgreSQL 17.5".
func (s *server) version(ctx context.Context) (string, error) {
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var number string
	err = conn.QueryRow(ctx, `SELECT split_part(current_setting('server_version'), ' ', 1)`).Scan(&number)
	return "PostgreSQL " + number, err
}
