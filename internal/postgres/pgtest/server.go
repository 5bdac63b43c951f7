package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

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

	defaultImage = "postgres:17-alpine"
)

// startTimeout allows for the download of an image.
const startTimeout = 5 * time.Minute

// theServer is the one server of this process. Nobody stops it: it ends with
// the process, however that ends (see container.go and local.go).
var theServer = sync.OnceValues(func() (*server, error) {
	if url := os.Getenv(urlSetting); url != "" {
		return &server{admin: url, stop: func() error { return nil }}, nil
	}
	return start(context.Background(), os.Getenv(pinSetting), nil)
})

// start runs a server on what pin says: "container", "local", or "" (also
// "any") for whichever can be had. say may be nil.
func start(ctx context.Context, pin string, say func(string)) (*server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
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

// Start runs a server on "container", "local" or "any", and says what takes
// long.
func Start(ctx context.Context, on string, say func(string)) (Server, error) {
	s, err := start(ctx, on, say)
	return Server{s}, err
}

// Setting is the pair NAME=value that makes tests use the server.
func (s Server) Setting() string { return urlSetting + "=" + s.admin }

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
