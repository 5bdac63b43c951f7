package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/cart"
	"coatcheck/internal/orders"
	"coatcheck/internal/postgres"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/web"
	"coatcheck/static"
	"coatcheck/templates"
)

type serve struct{ settings }

// Run opens the shop and keeps it open until ctx ends. What is set up last is
// taken down first: requests in flight finish, then the pool closes, then the
// shop's own Postgres stops.
func (c *serve) Run(ctx context.Context, t terminal) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	pepper, err := readPepper(c.PepperFile)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return settingError("--addr (SHOP_ADDR)", "cannot listen on %q: %w", c.Addr, errors.Unwrap(err))
	}
	defer listener.Close()

	say := func(line string) { fmt.Fprintln(t.err, "shop:", line) }
	db, err := c.open(ctx, say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	if _, err := postgres.Migrate(ctx, db.Pool); err != nil {
		return err
	}

	log := newLog(t.err)
	users, err := auth.New(auth.Config{DB: db.Pool, Pepper: pepper, Failures: c.LoginRate})
	if err != nil {
		return err
	}
	if c.demo() {
		if err := seedDemo(ctx, db, users); err != nil {
			return err
		}
	}
	shop, err := web.New(web.Config{
		DB:             db.Pool,
		Users:          users,
		Carts:          cart.New(db.Pool),
		Orders:         orders.New(db.Pool),
		Store:          pgstore.New(db.Pool),
		Policy:         c.policy(),
		Templates:      templates.Files,
		Static:         static.Files,
		Log:            log,
		Demo:           c.demo(),
		PublicURL:      c.PublicURL,
		Secure:         c.secure(),
		TrustedProxies: c.TrustedProxies,
	})
	if err != nil {
		return err
	}

	sweeping, stopSweeping := context.WithCancel(context.Background())
	var sweeper sync.WaitGroup
	sweeper.Go(func() { shop.Sweep(sweeping, sweepEvery, c.SessionLifetime) })
	defer sweeper.Wait()
	defer stopSweeping()

	say("open at " + c.address(listener.Addr()))
	return serveUntil(ctx, shop, listener, db.exited(), log)
}

// sweepEvery is how often what is over is cleared away. Nothing hangs on it
// but the size of tables.
const sweepEvery = time.Minute

// serveUntil answers requests until ctx ends, and then those that have begun.
func serveUntil(ctx context.Context, handler http.Handler, l net.Listener, databaseGone <-chan struct{}, log *slog.Logger) error {
	server := &http.Server{
		Handler: handler,
		// A client that is slow on purpose must not hold a connection for
		// long, nor make the server keep much for it.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	var reason error
	select {
	case err := <-served:
		return err
	case <-databaseGone:
		reason = errors.New("the shop's own Postgres has ended by itself; its log is in the data directory")
	case <-ctx.Done():
		log.Info("closing; requests in flight may finish")
	}
	finish, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return errors.Join(reason, server.Shutdown(finish))
}

// address is where a person finds the shop.
func (c *serve) address(listening net.Addr) string {
	if c.PublicURL != "" {
		return c.PublicURL
	}
	tcp := listening.(*net.TCPAddr)
	if tcp.IP.IsLoopback() || tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", tcp.Port)
	}
	return "http://" + tcp.String()
}
