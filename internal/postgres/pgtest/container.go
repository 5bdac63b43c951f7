package pgtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
)

var errNoEngine = errors.New("no container engine answers")

// startContainer runs Postgres in a container, by testcontainers-go.
//
// When the process ends without stopping it, Ryuk, the reaper that
// testcontainers runs in a container beside it, notices and removes it.
func startContainer(ctx context.Context) (*server, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute) // an image may have to come first
	defer cancel()
	log.SetDefault(log.NewNoopLogger()) // or else a dozen lines greet us
	if err := engineAnswers(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoEngine, err)
	}
	image := cmp.Or(os.Getenv(imageSetting), defaultImage)
	ctr, err := postgres.Run(ctx, image,
		// Nothing in a test's database needs to survive a power cut.
		testcontainers.WithCmd("postgres", "-c", "fsync=off", "-c", "synchronous_commit=off",
			"-c", "full_page_writes=off", "-c", "max_connections=300"),
		// Ready means twice ready: the image starts Postgres once to set it
		// up, and then again to serve.
		postgres.BasicWaitStrategies(),
	)
	stop := func() error { return testcontainers.TerminateContainer(ctr) }
	if err != nil {
		return nil, errors.Join(fmt.Errorf("container %s: %w%s", image, err, lastWords(ctx, ctr)), stop())
	}
	s := &server{stop: stop}
	if s.admin, err = ctr.ConnectionString(ctx, "sslmode=disable"); err != nil {
		return nil, errors.Join(err, stop())
	}
	version, err := s.version(ctx)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	s.is = fmt.Sprintf("container %s, %s", image, version)
	return s, nil
}

// lastWords is what a container that did not become ready has written.
func lastWords(ctx context.Context, ctr *postgres.PostgresContainer) string {
	if ctr == nil { // it was never created
		return ""
	}
	logs, err := ctr.Logs(ctx)
	if err != nil {
		return ""
	}
	defer logs.Close()
	text, _ := io.ReadAll(logs)
	return "\n" + string(text[max(0, len(text)-2000):])
}

// engineAnswers asks Docker, or what stands in for it, whether it is there.
func engineAnswers(ctx context.Context) (err error) {
	defer func() {
		// Where no engine is configured at all, testcontainers panics.
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return err
	}
	defer provider.Close()
	return provider.Health(ctx)
}
